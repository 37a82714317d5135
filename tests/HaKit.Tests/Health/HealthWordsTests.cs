using HaKit.Faults;
using HaKit.Health;
using HaKit.Testing;
using HaKit.Tests.Vocabulary;

namespace HaKit.Tests.Health;

/// <summary>The words about an endpoint agree with the pool: no endpoint without calls is Healthy, and no endpoint with calls is said to cool down.</summary>
public sealed class HealthWordsTests
{
    private static readonly TimeSpan s_now = TimeSpan.FromMinutes(10);
    private static readonly Fault s_refused = new(FaultKind.ConnectFailed), s_throttled = new(FaultKind.Throttled) { StatusCode = 429 };

    [Fact]
    public void In_every_state_with_every_cooldown_the_words_agree_with_the_state()
    {
        var checkedStates = 0;
        foreach (var state in States())
        {
            Check(state, isUnreachable: false);
            Check(state, isUnreachable: true);
            checkedStates++;
        }
        checkedStates.Should().BeGreaterThan(400);
    }

    private static void Check(HealthState state, bool isUnreachable)
    {
        var text = HealthWords.Describe(state, s_now, isUnreachable);
        var serves = state.Admits(s_now) && !isUnreachable;
        text.Should().NotContainAny("10675199", ":", "  ");
        if (serves)
        {
            text.Should().NotContainAny("ooling down", "Ejected", "Draining", "Forced down", "trial", "Unreachable");
            if (state.SlowStartShare(s_now) < 1)
                text.Should().StartWith("SlowStart");
        }
        else
        {
            text.Should().NotStartWithEquivalentOf("healthy").And.NotStartWithEquivalentOf("suspect").And.NotStartWithEquivalentOf("slowstart");
        }
        text.Contains("ooling down because of Throttled (429)", StringComparison.Ordinal).Should().Be(state.IsCooling(s_now), text);
    }

    private static IEnumerable<HealthState> States() =>
        from status in Enum.GetValues<EndpointHealthStatus>()
        from cause in (Fault?[])[null, s_refused]
        from until in (TimeSpan?[])[null, s_now - TimeSpan.FromSeconds(1), s_now, s_now + TimeSpan.FromSeconds(90), TimeSpan.MaxValue]
        from cooldown in Cooldowns()
        from trial in (TimeSpan[])[default, s_now + TimeSpan.FromSeconds(3)]
        select new HealthState(s_now - TimeSpan.FromMinutes(3))
        {
            Status = status,
            Cause = cause,
            Until = until,
            Cooldown = cooldown,
            TrialUntil = trial,
            ConsecutiveFailures = cause is null ? 0 : 3,
            ConnectFailures = cause is null ? 0 : 3,
            Return = new SlowStart(s_now - TimeSpan.FromSeconds(5), s_now + TimeSpan.FromSeconds(status == EndpointHealthStatus.SlowStart ? 25 : -1), 0.1),
        };

    private static IEnumerable<Cooldown?> Cooldowns()
    {
        var options = new HealthOptions();
        yield return null;
        foreach (var (length, ago) in new[] { (1.0, 300.0), (60, 60), (60, 70), (60, 10), (7200, 5000), (3600, 0) })
            yield return Cooldown.For(s_throttled, TimeSpan.FromSeconds(length), s_now - TimeSpan.FromSeconds(ago), options);
        yield return Cooldown.UntilCleared(s_throttled, TimeSpan.FromSeconds(5), s_now - TimeSpan.FromSeconds(1));
        yield return Cooldown.UntilCleared(s_throttled, TimeSpan.FromSeconds(5), s_now - TimeSpan.FromSeconds(60));
    }

    public static TheoryData<int> Seeds => [.. Enumerable.Range(0, 30)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task Whatever_happens_to_a_pool_its_status_and_its_explanation_agree_with_what_serves(int seed)
    {
        var random = new Random(seed);
        using var test = TestPools.Create(3, o => o.Endpoints[2].Limits = new() { RequestsPerMinute = 30 });
        string[] names = ["a", "b", "c"];
        for (var step = 0; step < 60; step++)
        {
            var name = names[random.Next(3)];
            switch (random.Next(8))
            {
                case 0:
                    test[name].Faults.Clear();
                    break;
                case 1:
                    test[name].Faults.Always(Faults(random));
                    break;
                case 2:
                    await test.Pool.ForceDownAsync(name);
                    break;
                case 3:
                    await test.Pool.BringUpAsync(name);
                    break;
                case 4 when test.Endpoints.All(e => e.InFlight == 0):
                    await test.Pool.DrainAsync(name, cancellationToken: TestContext.Current.CancellationToken);
                    break;
                case 5:
                    test.Time.Advance(TimeSpan.FromTicks(random.NextInt64(TimeSpan.TicksPerMinute * (random.Next(4) == 0 ? 300 : 1))));
                    break;
                default:
                    Call(test, TimeSpan.FromSeconds(random.Next(1, 20)));
                    break;
            }
            Agrees(test.Pool);
        }
    }

    private static void Call(TestPool test, TimeSpan deadline)
    {
        try
        {
            test.Call(new RequestProfile { Deadline = deadline });
        }
        catch (EndpointPoolException refused)
        {
            DurationTextTests.HasOnlyGoodTimes(refused.Message);
        }
    }

    private static FakeFault Faults(Random random) => random.Next(6) switch
    {
        0 => FakeFault.Refused,
        1 => FakeFaults.OpenAI.RateLimited(TimeSpan.FromSeconds(random.Next(1, 5000))),
        2 => FakeFaults.OpenAI.BadKey(),
        3 => FakeFaults.OpenAI.QuotaExhausted(),
        4 => FakeFault.Status(503),
        _ => FakeFault.Refused,
    };

    private static void Agrees(EndpointPool pool)
    {
        var status = pool.GetStatus();
        DurationTextTests.HasOnlyGoodTimes(status.ToString());
        foreach (var endpoint in status.Endpoints)
        {
            var text = endpoint.ToString();
            string[] serving = [": Healthy", ": Suspect", ": SlowStart"];
            serving.Any(s => text.Contains(s, StringComparison.Ordinal)).Should().Be(endpoint.Serves, text);
            text.Contains("ooling down", StringComparison.Ordinal).Should().Be(endpoint.Health.IsCooling(status.Now), text);
        }
        foreach (var explanation in pool.Explain(RequestProfile.Default))
        {
            var text = explanation.ToString();
            DurationTextTests.HasOnlyGoodTimes(text);
            text.Contains(" can be chosen", StringComparison.Ordinal).Should().Be(explanation.NotAdmittedBy is null, text);
            if (explanation.NotAdmittedBy is null or "limit")
                text.Should().NotContainAny("ooling down", "Ejected", "Forced down", "Draining");
        }
    }
}
