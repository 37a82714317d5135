using HaKit.Faults;
using HaKit.Testing;
using TestPool = HaKit.Tests.Failover.TestPool;

namespace HaKit.Tests.Pool;

/// <summary>Tests what the status says about an outage: since when, how many calls wait, for how long, and when the first waiting call gives up.</summary>
public sealed class OutageStatusTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private readonly ManualTimeProvider _time = new();
    private FaultKind? _fault = FaultKind.Overloaded;

    private Task<int> Call(EndpointPool pool, RequestProfile? profile = null) => pool.ExecuteAsync(profile ?? RequestProfile.Default, this, static async (attempt, test, _) =>
    {
        await Task.Delay(TimeSpan.FromSeconds(0.1), test._time, CancellationToken.None);
        if (test._fault is { } fault)
            attempt.ReportFault(new Fault(fault));
        return 0;
    }, Ct).AsTask();

    private async Task FailUntilOutAsync(EndpointPool pool)
    {
        for (var i = 0; i < 40 && pool.GetStatus().Serving > 0; i++)
        {
            var call = Call(pool, new RequestProfile { Deadline = TimeSpan.FromSeconds(1) });
            _time.Advance(TimeSpan.FromSeconds(1.2));
            await call.ContinueWith(static _ => { }, TaskScheduler.Default);
        }
        pool.GetStatus().Serving.Should().Be(0);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task Failed_trials_begin_neither_the_outage_nor_the_ejection_anew(int endpoints)
    {
        await using var pool = TestPool.Create(_time, endpoints);
        await FailUntilOutAsync(pool);
        var before = pool.GetStatus();
        var call = Call(pool);
        var trials = 0;
        for (var i = 0; i < 60; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            var status = pool.GetStatus();
            trials += status.Endpoints.Count(e => e.Since > before.At);
            status.OutageSince.Should().Be(before.OutageSince);
            status.Endpoints.Select(e => e.OutSince).Should().Equal(before.Endpoints.Select(e => e.OutSince));
        }
        trials.Should().BePositive("trials did change the states");
        before.Endpoints.Max(e => e.OutSince).Should().Be(before.OutageSince, "it began when the last endpoint left");
        _fault = null;
        _time.Advance(TimeSpan.FromSeconds(10));
        (await call).Should().Be(0);
        pool.GetStatus().OutageSince.Should().BeNull();
        pool.GetStatus().LastAnsweredAt.Should().BeAfter(before.At);
    }

    [Theory]
    [InlineData(FaultKind.Overloaded)]
    [InlineData(FaultKind.ConnectionReset)]
    public async Task Waiting_calls_are_counted_with_their_age_and_with_the_time_at_which_the_first_gives_up_also_the_one_that_asks(FaultKind fault)
    {
        _fault = fault;
        await using var pool = TestPool.Create(_time, 2, o => o.MaxWaitingCalls = 7);
        await FailUntilOutAsync(pool);
        pool.GetStatus().Should().BeEquivalentTo(new { Waiting = 0, MaxWaiting = 7, OldestWait = (TimeSpan?)null, FirstGivesUpIn = (TimeSpan?)null });
        var calls = new List<Task<int>> { Call(pool, new RequestProfile { Deadline = TimeSpan.FromSeconds(60) }) };
        _time.Advance(TimeSpan.FromSeconds(5));
        calls.Add(Call(pool, new RequestProfile { Deadline = TimeSpan.FromSeconds(300), MaxWait = TimeSpan.FromSeconds(20) }));
        for (var i = 0; i < 30; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(0.25));
            var status = pool.GetStatus();
            status.Waiting.Should().Be(2, "a call that asks whether the outage is over waits too");
            status.OldestWait.Should().Be(TimeSpan.FromSeconds(5 + 0.25 * (i + 1)));
            status.FirstGivesUpIn.Should().BeCloseTo(TimeSpan.FromSeconds(20 - 0.25 * (i + 1)), TimeSpan.FromSeconds(2.5), "attempts are no waiting");
        }
        _fault = null;
        _time.Advance(TimeSpan.FromSeconds(20));
        await Task.WhenAll(calls);
        pool.GetStatus().Should().BeEquivalentTo(new { Waiting = 0, OldestWait = (TimeSpan?)null, FirstGivesUpIn = (TimeSpan?)null });
    }

    [Fact]
    public async Task Calls_that_end_in_any_way_wait_no_more()
    {
        await using var pool = TestPool.Create(_time, 2, o => o.MaxWaitingCalls = 3);
        await FailUntilOutAsync(pool);
        using var leaves = new CancellationTokenSource();
        var cancelled = pool.ExecuteAsync(RequestProfile.Default, this, static (attempt, _, _) => { attempt.ReportFault(new Fault(FaultKind.Overloaded)); return ValueTask.FromResult(0); }, leaves.Token).AsTask();
        var late = Call(pool, new RequestProfile { Deadline = TimeSpan.FromSeconds(10) });
        var short_ = Call(pool, new RequestProfile { MaxWait = TimeSpan.FromSeconds(3) });
        _time.Advance(TimeSpan.FromSeconds(1));
        pool.GetStatus().Waiting.Should().Be(3);
        var refused = Call(pool);
        await FluentActions.Awaiting(() => refused).Should().ThrowAsync<NoEndpointAvailableException>("the queue is full");
        await leaves.CancelAsync();
        _time.Advance(TimeSpan.FromSeconds(30));
        foreach (var call in (Task[])[cancelled, late, short_])
            await Record.ExceptionAsync(() => call);
        pool.GetStatus().Waiting.Should().Be(0);
    }

    [Fact]
    public async Task A_cooldown_that_is_named_anew_before_it_ends_keeps_its_beginning()
    {
        await using var pool = TestPool.Create(_time, 1);
        var gates = Enumerable.Range(0, 3).Select(static _ => new TaskCompletionSource()).ToArray();
        var calls = Array.ConvertAll(gates, gate => pool.ExecuteAsync(new RequestProfile { MayRepeat = false, MaxWait = TimeSpan.Zero }, gate, static async (attempt, gate, _) =>
        {
            await gate.Task;
            attempt.ReportFault(new Fault(FaultKind.Throttled) { RetryAfter = TimeSpan.FromSeconds(30) });
            return 0;
        }, Ct).AsTask());
        gates[0].SetResult();
        await Record.ExceptionAsync(() => calls[0]);
        var since = pool.GetStatus().Endpoints[0].OutSince;
        since.Should().Be(_time.GetUtcNow());
        foreach (var (gate, call) in gates.Zip(calls).Skip(1))
        {
            _time.Advance(TimeSpan.FromSeconds(10));
            gate.SetResult();
            await Record.ExceptionAsync(() => call);
            pool.GetStatus().Endpoints[0].OutSince.Should().Be(since);
        }
    }
}
