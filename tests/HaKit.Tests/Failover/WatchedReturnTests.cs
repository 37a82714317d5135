using HaKit.Faults;
using HaKit.Testing;

namespace HaKit.Tests.Failover;

/// <summary>One waiting call watches the end of a cooldown and wakes at that time. The other waiting calls wake up to five seconds later.</summary>
public sealed class WatchedReturnTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private readonly ManualTimeProvider _time = new();

    private static TimeSpan S(double seconds) => TimeSpan.FromSeconds(seconds);

    private static async Task Cool(EndpointPool pool, string endpoint, double seconds) =>
        await Record.ExceptionAsync(() => pool.ExecuteAsync(new RequestProfile { MayRepeat = false, MaxWait = TimeSpan.Zero, Endpoints = [endpoint] }, seconds, static (attempt, seconds, _) =>
        {
            attempt.ReportFault(new Fault(FaultKind.Throttled) { RetryAfter = TimeSpan.FromSeconds(seconds) });
            return ValueTask.FromResult(0);
        }, Ct).AsTask());

    private static Task<string> Serve(EndpointPool pool, string endpoint, CancellationToken? ct = null) =>
        pool.ExecuteAsync(new RequestProfile { Endpoints = [endpoint] }, 0, static (attempt, _, _) => ValueTask.FromResult(attempt.Endpoint.Name), ct ?? Ct).AsTask();

    [Fact(Timeout = 60_000)]
    public async Task A_call_that_is_cancelled_while_it_watches_leaves_the_watch_to_the_next_call()
    {
        await using var pool = TestPool.Create(_time, 1);
        await Cool(pool, "a", 60);
        using var caller = new CancellationTokenSource();
        var watching = Serve(pool, "a", caller.Token);
        var next = Serve(pool, "a");
        await caller.CancelAsync();
        await watching.Awaiting(c => c).Should().ThrowAsync<OperationCanceledException>();
        _time.Advance(S(60));
        next.IsCompleted.Should().BeTrue();
        await next;
    }

    [Fact(Timeout = 60_000)]
    public async Task A_call_whose_second_attempt_runs_no_longer_watches_the_endpoint_of_that_attempt()
    {
        await using var pool = TestPool.Create(_time, 2);
        await Cool(pool, "b", 40);
        var never = new TaskCompletionSource<string>();
        var tried = new List<string>();
        var silent = pool.ExecuteAsync(RequestProfile.Default, 0, (attempt, _, _) => { tried.Add(attempt.Endpoint.Name); return new ValueTask<string>(never.Task); }, Ct).AsTask();
        _time.Advance(S(42));
        tried.Should().Equal(["a", "b"], "the second attempt begins when the cooldown ends");
        await Cool(pool, "b", 20);
        var waiting = Serve(pool, "b");
        _time.Advance(S(20));
        waiting.IsCompleted.Should().BeTrue("the call watches the end of the cooldown");
        await waiting;
        never.SetResult("late");
        (await silent).Should().Be("late");
    }
}
