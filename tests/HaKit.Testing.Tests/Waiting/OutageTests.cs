using Microsoft.Extensions.Logging;

namespace HaKit.Testing.Tests.Waiting;

/// <summary>Tests outages from the view of callers, health checks and logs.</summary>
public sealed class OutageTests
{
    private static readonly FakeFault Overloaded = FakeFault.Status(503).And(FakeFault.Latency(TimeSpan.FromMilliseconds(20)));

    private static TimeSpan S(double seconds) => TimeSpan.FromSeconds(seconds);

    [Theory]
    [InlineData(15, 2, true)]
    [InlineData(60, 2, true)]
    [InlineData(5, 1, false)]
    [InlineData(15, 1, false)]
    [InlineData(60, 1, false)]
    [InlineData(5, 3, false)]
    [InlineData(15, 3, false)]
    [InlineData(60, 3, false)]
    public void A_waiting_call_is_served_within_a_second_after_a_heartbeat_can_show_that_the_endpoints_are_back(double seconds, int endpoints, bool refused)
    {
        using var test = TestPools.Create(endpoints, o => o.Heartbeat.Enabled = true);
        foreach (var endpoint in test.Endpoints)
            endpoint.Faults.During(TimeSpan.Zero, S(seconds), refused ? FakeFault.Refused : Overloaded, where: static _ => true);
        test.Call().WaitRules.Should().Contain(WaitRule.Pace);
        test.Time.Elapsed.Should().BeLessThanOrEqualTo(S(seconds + 1.1));
    }

    [Fact]
    public void When_no_endpoint_can_be_reached_it_is_an_outage_although_none_is_ejected_and_it_is_told_once()
    {
        using var logs = new LogRecorder();
        using var test = TestPools.Create(2, o => o.Heartbeat.Enabled = true, parts => parts.LoggerFactory = logs.CreateFactory());
        test.Call();
        foreach (var endpoint in test.Endpoints)
            endpoint.Faults.During(TimeSpan.Zero, S(150), FakeFault.Refused, where: static _ => true);
        var call = test.CallAsync(new RequestProfile { Deadline = S(200) });
        test.Time.Advance(S(40));

        var status = test.Pool.GetStatus();
        (status.IsUnreachable, status.Serving).Should().Be((true, 0));
        status.ToString().Should().Contain("No endpoint can be reached: the network of this machine may be down");
        test.Time.Advance(S(112));

        call.IsCompletedSuccessfully.Should().BeTrue();
        test.Pool.GetStatus().IsUnreachable.Should().BeFalse();
        test.Events.GetEvents<OutageBegan>().Should().ContainSingle();
        test.Events.GetEvents<OutageEnded>().Should().ContainSingle();
        var lines = logs.Entries.Select(static e => e.ToString()!).ToArray();
        lines.Count(static l => l.Contains("no endpoint can be reached", StringComparison.Ordinal)).Should().Be(1);
        lines.Count(static l => l.Contains("1 calls wait", StringComparison.Ordinal)).Should().Be(2, "once a minute");
    }

    /// <summary>
    /// Few calls are made, and all endpoints are down for 10 s of every 300 s. No call is lost, and no call waits much longer than the outage.
    /// </summary>
    [Theory]
    [InlineData(0.02, false)]
    [InlineData(0.1, true)]
    [InlineData(0.5, false)]
    [InlineData(2, true)]
    [InlineData(10, false)]
    public void Low_traffic_outlives_outages(double perSecond, bool refused)
    {
        var length = 100_000 * Math.Min(1, 2 / perSecond) * Effort.Of(100) / 100;
        var simulation = new Simulation().Endpoints(3, ServiceModel.LogNormal(S(1), S(3)));
        for (var at = 150.0; at < length; at += 300)
            simulation.FaultOfAll(refused ? FakeFault.Refused.And(FakeFault.Latency(S(0.02))) : Overloaded, from: S(at), until: S(at + 10));
        var result = simulation.Run(Workload.Poisson(perSecond), S(length));
        result.SuccessRate.Should().Be(1, result.ToString());
        result.Latency(0.99).Should().BeLessThanOrEqualTo(S(12), result.ToString());
    }

    /// <summary>
    /// Each answer takes one second. With log-normal answer times, the longest time would depend more on the seed than on waiting: 15.6 to 17.5 s over six
    /// seeds.
    /// </summary>
    [Theory]
    [InlineData(0.02, true)]
    [InlineData(0.1, false)]
    [InlineData(0.1, true)]
    [InlineData(0.5, false)]
    [InlineData(0.5, true)]
    [InlineData(2, false)]
    [InlineData(2, true)]
    public void The_longest_call_takes_the_outage_one_step_of_the_pace_and_two_answers(double perSecond, bool refused)
    {
        var length = 100_000 * Math.Min(1, 2 / perSecond) * Effort.Of(100) / 100;
        var simulation = new Simulation().Endpoints(3, ServiceModel.Fixed(S(1)));
        for (var at = 150.0; at < length; at += 300)
            simulation.FaultOfAll(refused ? FakeFault.Refused.And(FakeFault.Latency(S(0.02))) : Overloaded, from: S(at), until: S(at + 10));
        var result = simulation.Run(Workload.Poisson(perSecond), S(length));
        result.SuccessRate.Should().Be(1, result.ToString());
        // The longest time is the sum of the outage, the longest step of the pace in an outage of 10 s with its jitter (1.1 s), the answer of the trial, the
        // spread of the waiting calls over a tenth of the outage (1 s), and the call's own answer.
        result.Latency(1).Should().BeLessThanOrEqualTo(S(10 + 1.1 + 1 + 1 + 1), result.ToString());
    }

    [Theory]
    [InlineData(0.02)]
    [InlineData(0.1)]
    [InlineData(0.5)]
    [InlineData(2)]
    [InlineData(10)]
    public void Low_traffic_outlives_silences(double perSecond)
    {
        var length = 100_000 * Math.Min(1, 2 / perSecond) * Effort.Of(100) / 100;
        var simulation = new Simulation().Endpoints(3, ServiceModel.LogNormal(S(1), S(3)));
        // The first 60 calls are left out, because the pool does not know yet how long an answer takes.
        for (var at = Math.Max(1000, 60 / perSecond); at < length; at += 300)
            simulation.FaultOfAll(FakeFault.Hang, from: S(at), until: S(at + 10));
        var result = simulation.Run(Workload.Poisson(perSecond), S(length));
        result.SuccessRate.Should().Be(1, result.ToString());
        result.Latency(0.99).Should().BeLessThanOrEqualTo(S(25), result.ToString());
        result.Latency(1).Should().BeLessThanOrEqualTo(S(45), result.ToString());
    }

    /// <summary>
    /// Each caller makes one call after another. All servers fail for 3 s of every 8 s, which is far shorter than the deadline of 30 s. No call is lost.
    /// </summary>
    [Theory]
    [InlineData(250, false)]
    [InlineData(250, true)]
    [InlineData(500, false)]
    [InlineData(500, true)]
    public void Many_callers_outlive_short_outages(int callers, bool refused)
    {
        var length = S(120);
        using var test = TestPools.Create(3, o => o.TotalRequestTimeout.Timeout = S(30));
        foreach (var endpoint in test.Endpoints)
        {
            endpoint.Service = ServiceModel.LogNormal(S(0.2), S(0.8));
            for (var at = S(5); at < length; at += S(8))
                endpoint.Faults.During(at, at + S(3), refused ? FakeFault.Refused.And(FakeFault.Latency(S(0.02))) : Overloaded);
        }

        var (served, lost) = (0, new List<string>());
        var all = Enumerable.Range(0, callers).Select(i => CallAgainAndAgainAsync(S(0.01 * i))).ToArray();
        test.Time.Advance(length + S(60));
        all.Should().OnlyContain(static c => c.IsCompletedSuccessfully);
        served.Should().BeGreaterThan(10 * callers);
        lost.Should().BeEmpty("{0} calls were served", served);

        async Task CallAgainAndAgainAsync(TimeSpan first)
        {
            await Task.Delay(first, test.Time).ConfigureAwait(false);
            while (test.Time.Elapsed < length)
            {
                try
                {
                    await test.CallAsync().ConfigureAwait(false);
                    served++;
                }
                catch (EndpointPoolException exception)
                {
                    lost.Add(exception.Message);
                }
            }
        }
    }

    /// <summary>
    /// Forty calls a second go through an outage of all endpoints. The log line about the outage is not hidden among lines about single trials.
    /// </summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_outage_leaves_few_lines_above_debug(bool refused)
    {
        using var logs = new LogRecorder { MinimumLevel = LogLevel.Information };
        using var test = TestPools.Create(3, o => o.Heartbeat.Enabled = true, parts => parts.LoggerFactory = logs.CreateFactory());
        foreach (var endpoint in test.Endpoints)
            endpoint.Faults.During(S(10), S(40), refused ? FakeFault.Refused : Overloaded, where: static _ => true);
        for (var at = S(0); at < S(60); at += S(0.025))
        {
            _ = test.CallAsync(new RequestProfile { Deadline = S(50) });
            test.Time.Advance(S(0.025));
        }

        logs.Entries.Count(static e => e.Level == LogLevel.Critical).Should().Be(1);
        var during = logs.Entries.Where(static e => e.Level == LogLevel.Warning).Select(static e => e.ToString()).ToArray();
        during.Length.Should().BeLessThanOrEqualTo(3 + 1, string.Join('\n', during));
    }

    [Fact]
    public void Attempts_that_failed_although_their_calls_were_served_are_told_once_a_minute_for_each_endpoint()
    {
        using var logs = new LogRecorder();
        using var test = TestPools.Create(2, o => o.Endpoints[1].Tier = 1, parts => parts.LoggerFactory = logs.CreateFactory());
        test["a"].Faults.Next(1, FakeFault.Status(500));
        test["a"].Faults.Next(2, FakeFault.Status(503));
        for (var i = 0; i < 30; i++)
            test.Call();
        test.Time.Elapsed.Should().BeLessThan(S(60));
        Lines(LogLevel.Information).Should().BeEmpty();
        Lines(LogLevel.Debug).Should().Equal(
            "Pool test: an attempt on endpoint a failed with ServerError (500), and endpoint b served the call.",
            "Pool test: an attempt on endpoint a failed with Overloaded (503), and endpoint b served the call.",
            "Pool test: an attempt on endpoint a failed with Overloaded (503), and endpoint b served the call.");
        test.Time.Advance(S(60));
        Lines(LogLevel.Information).Should().Equal(
            "Pool test: failed attempts on endpoint a in the last minute: 3 (Overloaded 2, ServerError 1). Later attempts served their calls.");
        test.Time.Advance(S(600));
        Lines(LogLevel.Information).Should().HaveCount(1, "a quiet minute has no line");

        string[] Lines(LogLevel level) =>
            [.. logs.Entries.Where(e => e.Level == level && e.Message.Contains("served", StringComparison.Ordinal)).Select(static e => e.Message)];
    }
}
