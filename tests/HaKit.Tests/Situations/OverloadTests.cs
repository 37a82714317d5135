using HaKit.Faults;
using HaKit.Limits;

namespace HaKit.Tests.Situations;

/// <summary>More calls than the endpoints can serve: the endpoints stay busy with calls that can still be answered, and the rest is refused.</summary>
public sealed class OverloadTests
{
    [Theory(Timeout = 60_000)]
    [InlineData(100, 1.05)]
    [InlineData(100, 2)]
    [InlineData(20, 1.05)]
    [InlineData(20, 1.2)]
    [InlineData(20, 2)]
    [InlineData(5, 1.05)]
    [InlineData(5, 2)]
    public Task A_limited_endpoint_under_lasting_overload_serves_as_much_as_it_can(double deadline, double load)
    {
        using var bench = new TrafficBench("a", o =>
        {
            o.Endpoints[0].Limits = new LimitOptions { MaxConcurrency = 10 };
            o.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(deadline);
        });
        bench.Let(() => bench.Answer(1));
        bench.Traffic(60, 5);
        bench.Traffic(200, 10 * load);
        var steady = bench.Traffic(200, 10 * load);
        bench.Advance(110);

        // Ten answers a second are possible.
        steady.Count(static c => c.IsServed).Should().BeGreaterThan(1950, "calls whose deadline would cut their answers must not take the places");
        return Task.CompletedTask;
    }

    [Theory(Timeout = 60_000)]
    [InlineData(FaultKind.ConnectionReset)]
    [InlineData(FaultKind.ConnectFailed)]
    public Task Ten_thousand_callers_that_lose_the_last_endpoint_wait_or_are_refused_at_once(FaultKind kind)
    {
        using var bench = new TrafficBench("a b");
        bench.Let(() => bench.Refuse(kind), "a");
        bench.Let(() => bench.Answer(0.5), "b");
        bench.Traffic(20, 10);
        var dies = new TaskCompletionSource();
        bench.Let(() => async token =>
        {
            await dies.Task.WaitAsync(token).ConfigureAwait(false);
            await Task.Delay(TimeSpan.FromSeconds(0.02), bench.Time, token).ConfigureAwait(false);
            return new Fault(kind);
        }, "b");
        var calls = Enumerable.Range(0, 10_000).Select(_ => bench.Begin()).ToArray();
        bench.Advance(0.2);
        var before = bench.Sent.Count;
        bench.Time.Run(() =>
        {
            dies.SetResult();
            return Task.CompletedTask;
        });
        bench.Advance(3);

        (bench.Sent.Count - before).Should().BeLessThan(20, "an outage of 3 s allows few trials, however many calls wait");
        var refused = calls.Where(static c => c.Error is not null).ToArray();
        refused.Should().HaveCount(9000).And.OnlyContain(static c => c.Error is NoEndpointAvailableException && ((NoEndpointAvailableException)c.Error).RetryAfter > TimeSpan.Zero);
        bench.Let(() => bench.Answer(0.5));
        bench.Advance(30);
        calls.Count(static c => c.IsServed).Should().Be(1000);
        return Task.CompletedTask;
    }

    [Fact(Timeout = 60_000)]
    public Task Calls_of_a_high_priority_find_a_place_although_calls_of_a_low_priority_fill_the_queue()
    {
        using var bench = new TrafficBench("a", static o => o.MaxWaitingCalls = 50);
        bench.Let(() => bench.Now < 20 ? bench.Refuse(FaultKind.Overloaded) : bench.Answer(0.5));
        var batch = Enumerable.Range(0, 80).Select(_ => bench.Begin(profile: new RequestProfile { Priority = -1 })).ToArray();
        bench.Advance(1);
        var users = Enumerable.Range(0, 10).Select(_ => bench.Begin()).ToArray();
        bench.Advance(120);

        users.Served().Should().Be(1);
        batch.Count(static c => c.IsServed).Should().Be(40);
        batch.Where(static c => !c.IsServed).Should().OnlyContain(static c => c.Error!.Message.Contains("MaxWaitingCalls"));
        batch.Count(static c => c.Error != null && c.Error.Message.Contains("a higher priority")).Should().Be(10);
        return Task.CompletedTask;
    }

    [Fact(Timeout = 60_000)]
    public Task The_learned_limit_of_an_endpoint_survives_an_outage()
    {
        using var bench = new TrafficBench("a", static o => o.Endpoints[0].Limits = new LimitOptions { AdaptiveConcurrency = true });
        bench.Let(() => bench.Now is > 60 and < 75 ? bench.Refuse(FaultKind.Overloaded) : bench.Answer(1));
        bench.Traffic(75, 20);
        var after = bench.Traffic(60, 20);
        bench.Advance(150);

        after.Served().Should().Be(1);
        after.Average(static c => c.Took).Should().BeLessThan(8);
        return Task.CompletedTask;
    }
}
