using HaKit.Failover;
using HaKit.Faults;
using HaKit.Limits;
using HaKit.Testing;

namespace HaKit.Tests.Failover;

/// <summary>Tests that a call waits neither longer than it has to, nor longer than it may, when several calls wait for different things.</summary>
public sealed class WaitLengthTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private static readonly RequestProfile s_never = new() { MayRepeat = false, MaxWait = TimeSpan.Zero };
    private readonly ManualTimeProvider _time = new();

    private static TimeSpan S(double seconds) => TimeSpan.FromSeconds(seconds);

    private static Task<string> Call(EndpointPool pool, RequestProfile profile, Func<EndpointAttempt, Fault?> judge) =>
        pool.ExecuteAsync(profile, judge, static (attempt, judge, _) =>
        {
            if (judge(attempt) is { } fault)
                attempt.ReportFault(fault);
            return ValueTask.FromResult(attempt.Endpoint.Name);
        }, Ct).AsTask();

    private static Task<string> Serve(EndpointPool pool, RequestProfile? profile = null) => Call(pool, profile ?? RequestProfile.Default, static _ => null);

    private static async Task Cool(EndpointPool pool, string endpoint, double seconds) =>
        await Record.ExceptionAsync(() => Call(pool, s_never with { Endpoints = [endpoint] }, _ => new Fault(FaultKind.Throttled) { RetryAfter = S(seconds) }));

    [Theory(Timeout = 60_000)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Of_several_calls_that_wait_for_the_same_named_time_none_waits_longer_than_MaxWait(bool isOfProfile)
    {
        await using var pool = TestPool.Create(_time, 1, o => o.MaxWait = isOfProfile ? null : S(2));
        await Cool(pool, "a", 60);
        var calls = Enumerable.Range(0, 8).Select(_ => Serve(pool, isOfProfile ? new RequestProfile { MaxWait = S(2) } : null)).ToArray();
        _time.Advance(S(1.9));
        calls.Should().OnlyContain(static c => !c.IsCompleted);
        _time.Advance(S(0.1));
        calls.Should().OnlyContain(static c => c.IsFaulted);
        foreach (var call in calls)
            (await call.Awaiting(static c => c).Should().ThrowAsync<NoEndpointAvailableException>()).WithMessage("*MaxWait*");
    }

    [Fact(Timeout = 60_000)]
    public async Task A_call_that_waits_for_a_named_time_takes_a_place_that_the_calls_before_it_cannot_use()
    {
        await using var pool = TestPool.Create(_time, 2, o =>
        {
            o.Endpoints[0].Limits = new LimitOptions { MaxConcurrency = 1 };
            o.Endpoints[0].Vision = false;
        });
        await Cool(pool, "b", 60);
        var answer = new TaskCompletionSource<string>();
        var running = pool.ExecuteAsync(answer, static (_, answer, _) => new ValueTask<string>(answer.Task), Ct).AsTask();
        var images = Enumerable.Range(0, 2).Select(_ => Serve(pool, new RequestProfile { Vision = true })).ToArray();
        var text = Serve(pool);
        answer.SetResult("a");
        await running;
        _time.Advance(S(3));
        text.IsCompleted.Should().BeTrue("a is idle");
        (await text).Should().Be("a");
        images.Should().OnlyContain(static c => !c.IsCompleted, "only b can read images");
        _time.Advance(S(70));
        await Task.WhenAll(images);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_call_whose_endpoint_has_no_room_for_long_does_not_keep_another_call_from_its_trial()
    {
        await using var pool = TestPool.Create(_time, 2, o => o.Endpoints[1].Limits = new LimitOptions { RequestsPerMinute = 1 });
        var tried = 0;
        var long_ = Call(pool, new RequestProfile { Endpoints = ["b"] }, _ => tried++ == 0 ? new Fault(FaultKind.ServerError) : null);
        var isDown = true;
        var short_ = Call(pool, new RequestProfile { Endpoints = ["a"] }, _ => isDown ? new Fault(FaultKind.ServerError) : null);
        _time.Advance(S(1));
        short_.IsCompleted.Should().BeFalse();
        isDown = false;
        _time.Advance(S(3));
        short_.IsCompleted.Should().BeTrue("a is back");
        (await short_).Should().Be("a");
        long_.IsCompleted.Should().BeFalse("b accepts one request in a minute");
        _time.Advance(S(61));
        (await long_).Should().Be("b");
    }

    [Fact(Timeout = 60_000)]
    public async Task When_the_trial_of_a_refused_key_succeeds_every_call_that_waited_for_it_is_served()
    {
        await using var pool = TestPool.Create(_time, 1);
        await Serve(pool); // a key that has served gets a trial after five seconds
        var isRefused = true;
        var gates = new List<TaskCompletionSource>();
        var calls = Enumerable.Range(0, 3).Select(_ => pool.ExecuteAsync(0, async (attempt, _, _) =>
        {
            if (isRefused)
            {
                var gate = new TaskCompletionSource();
                gates.Add(gate);
                await gate.Task;
                attempt.ReportFault(new Fault(FaultKind.Unauthorized));
            }
            return attempt.Endpoint.Name;
        }, Ct).AsTask()).ToArray();
        gates.ToArray().Should().HaveCount(3);
        foreach (var gate in gates.ToArray())
            gate.SetResult();
        calls.Should().OnlyContain(static c => !c.IsCompleted, "they wait for the trial");
        isRefused = false;
        _time.Advance(S(30));
        calls.Should().OnlyContain(static c => c.IsCompleted);
        (await Task.WhenAll(calls)).Should().Equal("a", "a", "a");
    }

    [Theory(Timeout = 60_000)]
    [InlineData(0)]
    [InlineData(1)]
    public async Task A_call_that_finds_no_place_to_wait_moves_on_at_once_although_OnFault_asks_for_a_wait(int places)
    {
        await using var pool = TestPool.Create(_time, 2, o =>
        {
            (o.MaxWaitingCalls, o.Endpoints[1].Tier) = (places, 1);
            o.OnFault = static (_, _) => FaultAction.Wait;
        });
        var calls = Enumerable.Range(0, 2).Select(_ => Call(pool, RequestProfile.Default, static a => a.Endpoint.Name == "a" ? new Fault(FaultKind.ServerError) : null)).ToArray();
        _time.Advance(S(10));
        (await Task.WhenAll(calls)).Should().Equal("b", "b");
    }
}
