using HaKit.Health;
using HaKit.Tests.Heartbeats;

namespace HaKit.Tests.Orders;

public sealed class OrderTests
{
    private static HeartbeatBench Bench(int endpoints = 2, Action<EndpointPoolOptions>? configure = null) =>
        new(endpoints, o => { o.Heartbeat.Enabled = false; configure?.Invoke(o); });

    private static ValueTask<string> Served(EndpointAttempt attempt) => ValueTask.FromResult(attempt.Endpoint.Name);

    [Fact]
    public async Task Draining_lets_what_is_in_flight_finish_takes_no_more_and_completes_when_it_is_empty()
    {
        await using var bench = Bench();
        var answers = new Dictionary<string, TaskCompletionSource<string>>();
        var calls = new List<Task<string>>();
        for (var i = 0; i < 2; i++)
            calls.Add(bench.CallAsync(attempt => new ValueTask<string>((answers[attempt.Endpoint.Name] = new()).Task)).AsTask());
        answers.Keys.Should().BeEquivalentTo("a", "b");
        var drained = bench.Pool.DrainAsync("a", TestContext.Current.CancellationToken).AsTask();
        for (var i = 0; i < 5; i++)
            (await bench.CallAsync(Served)).Should().Be("b");
        bench.Advance(20);
        drained.IsCompleted.Should().BeFalse("a call is still in flight on it");
        answers["a"].SetResult("a");
        bench.Advance(0.2);
        drained.IsCompletedSuccessfully.Should().BeTrue();
        (await calls.Single(c => c.IsCompleted)).Should().Be("a", "the call in flight was not disturbed");
        bench.Status("a").Should().Be(EndpointHealthStatus.Draining);
        bench.Advance(3600);
        (await bench.CallAsync(Served)).Should().Be("b", "only an order brings it back");
        answers["b"].SetResult("b");
    }

    [Fact]
    public async Task Draining_an_idle_endpoint_completes_at_once()
    {
        await using var bench = Bench();
        var drained = bench.Pool.DrainAsync("a", TestContext.Current.CancellationToken).AsTask();
        drained.IsCompletedSuccessfully.Should().BeTrue();
    }

    [Fact]
    public async Task A_drain_that_a_later_order_calls_off_says_so()
    {
        await using var bench = Bench();
        var answer = new TaskCompletionSource<string>();
        _ = bench.CallAsync(_ => new ValueTask<string>(answer.Task)).AsTask();
        var drained = bench.Pool.DrainAsync("a", TestContext.Current.CancellationToken).AsTask();
        await bench.Pool.BringUpAsync("a");
        bench.Advance(1);
        (await drained.Awaiting(d => d).Should().ThrowAsync<InvalidOperationException>()).WithMessage("*'a'*brought up*");
        answer.SetResult("a");
    }

    [Fact]
    public async Task The_wait_for_a_drain_can_be_cancelled_and_the_endpoint_stays_out()
    {
        await using var bench = Bench();
        var answer = new TaskCompletionSource<string>();
        _ = bench.CallAsync(_ => new ValueTask<string>(answer.Task)).AsTask();
        using var operatorLeft = new CancellationTokenSource();
        var drained = bench.Pool.DrainAsync("a", operatorLeft.Token).AsTask();
        operatorLeft.Cancel();
        drained.IsCanceled.Should().BeTrue();
        bench.Status("a").Should().Be(EndpointHealthStatus.Draining);
        answer.SetResult("a");
    }

    [Fact]
    public async Task An_endpoint_that_was_forced_down_takes_nothing_until_it_is_brought_up()
    {
        await using var bench = Bench();
        await bench.Pool.ForceDownAsync("a");
        for (var i = 0; i < 4; i++)
            (await bench.CallAsync(Served)).Should().Be("b");
        bench.Advance(86_400);
        (await bench.CallAsync(Served)).Should().Be("b");
        await bench.Pool.BringUpAsync("a");
        bench.Status("a").Should().Be(EndpointHealthStatus.SlowStart);
        bench.Advance(31);
        var served = new HashSet<string>();
        for (var i = 0; i < 10; i++)
            served.Add(await bench.CallAsync(Served));
        served.Should().Contain("a");
    }

    [Fact]
    public async Task A_promoted_tier_is_used_first_until_fail_back()
    {
        await using var bench = Bench(3, o => { o.Endpoints[1].Tier = 1; o.Endpoints[2].Tier = 2; });
        (await bench.CallAsync(Served)).Should().Be("a");
        await bench.Pool.PromoteAsync(1);
        (await bench.CallAsync(Served)).Should().Be("b");
        await bench.Pool.ForceDownAsync("b");
        (await bench.CallAsync(Served)).Should().Be("c", "after the promoted tier come those behind it");
        await bench.Pool.ForceDownAsync("c");
        (await bench.CallAsync(Served)).Should().Be("a", "those before it come last");
        await bench.Pool.BringUpAsync("b");
        await bench.Pool.FailBackAsync();
        (await bench.CallAsync(Served)).Should().Be("a");
    }

    [Fact]
    public async Task A_promotion_outlives_a_reload()
    {
        await using var bench = Bench(2, o => o.Endpoints[1].Tier = 1);
        await bench.Pool.PromoteAsync(1);
        bench.Pool.Update(bench.Options);
        (await bench.CallAsync(Served)).Should().Be("b");
    }

    [Fact]
    public async Task Orders_about_what_does_not_exist_are_refused_by_name()
    {
        await using var bench = Bench();
        foreach (var order in new Func<ValueTask>[]
        {
            () => bench.Pool.DrainAsync("nobody"), () => bench.Pool.ForceDownAsync("nobody"), () => bench.Pool.BringUpAsync("nobody"),
        })
        {
            (await order.Awaiting(o => o().AsTask()).Should().ThrowAsync<ArgumentException>()).WithMessage("*'test'*'nobody'*");
        }

        var promote = () => bench.Pool.PromoteAsync(7).AsTask();
        (await promote.Should().ThrowAsync<ArgumentException>()).WithMessage("*'test'*7*");
    }
}
