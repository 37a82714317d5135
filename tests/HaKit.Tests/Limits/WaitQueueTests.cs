using HaKit.Limits;
using HaKit.Testing;

namespace HaKit.Tests.Limits;

public sealed class WaitQueueTests
{
    private readonly ManualTimeProvider _time = new();
    private readonly List<string> _woken = [];
    private readonly WaitQueue _queue;

    public WaitQueueTests() => _queue = new WaitQueue(1000, _time);

    [Fact]
    public void Releases_go_by_priority_and_then_by_arrival()
    {
        foreach (var (name, priority) in new[] { ("a", 0), ("b", 5), ("c", 0), ("d", -1), ("e", 5), ("f", 9) })
            Begin(name, priority);

        _queue.Release(3).Should().Be(3);
        _woken.Should().Equal("f:Released", "b:Released", "e:Released");

        _queue.Release(10).Should().Be(3);
        _woken.Skip(3).Should().Equal("a:Released", "c:Released", "d:Released");
        _queue.Count.Should().Be(0);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_release_that_was_kept_goes_to_the_next_when_its_waiter_leaves(bool passOn)
    {
        _queue.TryEnter(0, out var first).Should().BeTrue();
        _queue.TryEnter(0, out var second).Should().BeTrue();
        var wait = second!.WaitAsync(null, CancellationToken.None);
        _queue.Release(1).Should().Be(1, "the first waiter does not wait at this moment and keeps it");
        wait.IsCompleted.Should().BeFalse();

        first!.LeaveQueue(passOn);

        wait.IsCompleted.Should().BeTrue();
        (await wait).Should().Be(WaitResult.Released);
    }

    [Fact]
    public async Task A_wait_of_a_cancelled_call_is_cancelled_and_leaves_the_kept_release_to_the_next()
    {
        _queue.TryEnter(0, out var first).Should().BeTrue();
        _queue.TryEnter(0, out var second).Should().BeTrue();
        var wait = second!.WaitAsync(null, CancellationToken.None);
        _queue.Release(1);

        (await first!.WaitAsync(null, new CancellationToken(canceled: true))).Should().Be(WaitResult.Cancelled);
        first.LeaveQueue();

        (await wait).Should().Be(WaitResult.Released);
    }

    [Fact]
    public async Task A_waiter_that_has_left_cannot_wait_any_more()
    {
        _queue.TryEnter(0, out var waiter).Should().BeTrue();
        waiter!.LeaveQueue();

        var wait = waiter.WaitAsync(TimeSpan.FromSeconds(1), CancellationToken.None);

        wait.IsCompleted.Should().BeTrue();
        (await wait).Should().Be(WaitResult.Cancelled);
    }

    [Fact]
    public void A_full_queue_refuses_and_a_place_that_is_left_can_be_had()
    {
        var queue = new WaitQueue(2, _time);
        queue.TryEnter(0, out var first).Should().BeTrue();
        queue.TryEnter(0, out _).Should().BeTrue();

        queue.TryEnter(0, out var refused).Should().BeFalse();
        refused.Should().BeNull();
        first!.LeaveQueue();
        first.LeaveQueue();

        queue.Count.Should().Be(1);
        queue.TryEnter(0, out _).Should().BeTrue();
    }

    [Fact]
    public void The_last_of_the_lowest_priority_leaves_a_full_queue_for_a_higher_priority()
    {
        var queue = new WaitQueue(3, _time);
        queue.TryEnter(1, out var one).Should().BeTrue();
        queue.TryEnter(0, out var early).Should().BeTrue();
        queue.TryEnter(0, out var late).Should().BeTrue();
        var waits = (Task<WaitResult>[])[Wait(one), Wait(early), Wait(late)];
        queue.TryEnter(0, out _).Should().BeFalse();

        queue.TryEnter(1, out var second).Should().BeTrue();

        queue.Count.Should().Be(3);
        waits.Select(static w => w.IsCompleted).Should().Equal(false, false, true);
        Result(waits[2]).Should().Be(WaitResult.Cancelled);
        late!.LeaveQueue();
        queue.TryEnter(1, out _).Should().BeTrue();
        Result(waits[1]).Should().Be(WaitResult.Cancelled);
        queue.TryEnter(1, out _).Should().BeFalse();
        new WaitQueue(0, _time).TryEnter(9, out _).Should().BeFalse();
        second!.LeaveQueue();
        queue.Count.Should().Be(2);
    }

    [Fact]
    public void A_release_of_a_call_that_gives_up_its_place_goes_to_the_next()
    {
        var queue = new WaitQueue(2, _time);
        queue.TryEnter(2, out var first).Should().BeTrue();
        queue.TryEnter(-1, out var last).Should().BeTrue();
        queue.Release(2).Should().Be(2, "both calls keep their release, because they do not wait at this moment");
        Result(Wait(first)).Should().Be(WaitResult.Released);
        var wait = Wait(first);

        queue.TryEnter(1, out _).Should().BeTrue();

        Result(wait).Should().Be(WaitResult.Released);
        Result(Wait(last)).Should().Be(WaitResult.Cancelled);
        var again = Wait(first);
        last!.LeaveQueue(passOn: true);
        Result(again).Should().Be(WaitResult.Released, "the call was released before it left, and did not use this release");
    }

    [Fact]
    public void A_wait_ends_when_it_is_due()
    {
        Begin("a", 0, TimeSpan.FromSeconds(3));

        _time.Advance(TimeSpan.FromSeconds(2.999));
        _woken.Should().BeEmpty();
        _time.Advance(TimeSpan.FromMilliseconds(1));

        _woken.Should().Equal("a:Due");
        _time.ArmedTimers.Should().Be(0);
    }

    [Fact]
    public async Task Cancellation_is_a_value_and_runs_on_the_cancelling_thread()
    {
        using var source = new CancellationTokenSource();
        var here = Environment.CurrentManagedThreadId;
        var there = 0;
        _queue.TryEnter(0, out var waiter).Should().BeTrue();
        var waiting = WaitHere();

        source.Cancel();

        (await waiting).Should().Be(WaitResult.Cancelled);
        there.Should().Be(here);
        (await waiter!.WaitAsync(null, source.Token).AsTask()).Should().Be(WaitResult.Cancelled, "it was cancelled before it began");

        async Task<WaitResult> WaitHere()
        {
            var result = await waiter!.WaitAsync(TimeSpan.FromSeconds(9), source.Token).AsTask();
            there = Environment.CurrentManagedThreadId;
            return result;
        }
    }

    [Fact]
    public void A_wait_that_ended_leaves_no_timer_and_no_registration()
    {
        using var source = new CancellationTokenSource();
        _queue.TryEnter(0, out var waiter);
        var waiting = waiter!.WaitAsync(TimeSpan.FromSeconds(9), source.Token).AsTask();
        _time.ArmedTimers.Should().Be(1);

        _queue.Release(1);

        Result(waiting).Should().Be(WaitResult.Released);
        _time.ArmedTimers.Should().Be(0);
        source.Cancel();
        Result(waiting).Should().Be(WaitResult.Released);
    }

    [Fact]
    public void A_wait_that_is_due_already_does_not_wait()
    {
        _queue.TryEnter(0, out var waiter);

        Result(Wait(waiter, TimeSpan.Zero)).Should().Be(WaitResult.Due);
        Result(Wait(waiter, TimeSpan.MinValue)).Should().Be(WaitResult.Due);
    }

    [Fact]
    public void A_wait_without_an_end_arms_no_timer()
    {
        _queue.TryEnter(0, out var waiter);

        Wait(waiter, TimeSpan.MaxValue).IsCompleted.Should().BeFalse();

        _time.ArmedTimers.Should().Be(0);
    }

    [Fact]
    public void A_waiter_keeps_its_place_from_wait_to_wait()
    {
        _queue.TryEnter(0, out var first);
        _queue.TryEnter(0, out var second);
        var early = Wait(first, TimeSpan.FromSeconds(1));
        var late = Wait(second);
        _time.Advance(TimeSpan.FromSeconds(1));
        Result(early).Should().Be(WaitResult.Due);
        var again = Wait(first);

        _queue.Release(1);

        again.IsCompleted.Should().BeTrue();
        late.IsCompleted.Should().BeFalse();
    }

    [Fact]
    public void A_release_while_the_head_tries_its_luck_is_kept_for_its_next_wait()
    {
        _queue.TryEnter(0, out var waiter);

        _queue.Release(1).Should().Be(1);
        _queue.Release(1).Should().Be(0, "one kept release is enough to try again");

        Result(Wait(waiter)).Should().Be(WaitResult.Released);
        Wait(waiter).IsCompleted.Should().BeFalse();
    }

    [Fact]
    public void A_release_that_its_receiver_did_not_use_goes_to_the_next()
    {
        _queue.TryEnter(0, out var first);
        _queue.TryEnter(0, out var second);
        _queue.TryEnter(0, out var third);
        var secondWaits = Wait(second);
        var thirdWaits = Wait(third);

        _queue.Release(1);
        first!.LeaveQueue();
        Result(secondWaits).Should().Be(WaitResult.Released);

        second!.LeaveQueue(passOn: true);
        Result(thirdWaits).Should().Be(WaitResult.Released);
    }

    [Fact]
    public async Task A_wait_that_is_released_behind_one_that_takes_long_can_still_end_by_its_own_time()
    {
        _queue.TryEnter(0, out var first);
        _queue.TryEnter(0, out var second);
        var secondWait = default(Task<WaitResult>);
        var endedInTime = false;
        var firstWait = Continue();
        secondWait = second!.WaitAsync(TimeSpan.FromSeconds(5), CancellationToken.None).AsTask();

        _queue.Release(2);

        firstWait.IsCompleted.Should().BeTrue();
        endedInTime.Should().BeTrue("its time came while the first was busy");
        (await secondWait).Should().Be(WaitResult.Due);
        Result(Wait(second)).Should().Be(WaitResult.Released, "the release it did not get is kept for its next wait");

        async Task Continue()
        {
            await first!.WaitAsync(null, CancellationToken.None);
            _time.Advance(TimeSpan.FromSeconds(5)); // the first call now works for 5 s
            endedInTime = secondWait!.IsCompleted;
        }
    }

    [Fact]
    public void Leaving_from_the_middle_keeps_the_order_of_the_others()
    {
        var waiters = new Waiter?[5];
        for (var i = 0; i < 5; i++)
            _queue.TryEnter(0, out waiters[i]);
        var waits = waiters.Select(waiter => Wait(waiter)).ToArray();
        foreach (var i in new[] { 2, 0, 4 })
            waiters[i]!.LeaveQueue();

        waits.Select(wait => wait.IsCompleted).Should().Equal(true, false, true, false, true);
        Result(waits[2]).Should().Be(WaitResult.Cancelled);
        _queue.Release(1);
        waits[1].IsCompleted.Should().BeTrue();
        waits[3].IsCompleted.Should().BeFalse();
        _queue.Count.Should().Be(2);
    }

    [Fact]
    public void A_thousand_waiters_that_each_release_the_next_do_not_deepen_the_stack()
    {
        var depth = 0;
        var deepest = 0;
        for (var i = 0; i < 1000; i++)
        {
            _queue.TryEnter(0, out var waiter).Should().BeTrue();
            _ = Chain(waiter!);
        }

        _queue.Release(1);

        _queue.Count.Should().Be(0);
        deepest.Should().Be(1);

        async Task Chain(Waiter waiter)
        {
            await Wait(waiter);
            deepest = Math.Max(deepest, ++depth);
            waiter.LeaveQueue();
            _queue.Release(1);
            depth--;
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_timer_does_not_capture_the_waiting_calls_context_and_leaves_its_flow_as_it_was(bool suppressed)
    {
        var time = new FlowWatchingTime();
        var queue = new WaitQueue(1, time);
        queue.TryEnter(0, out var waiter);
        using (suppressed ? ExecutionContext.SuppressFlow() : (IDisposable?)null)
        {
            Wait(waiter, TimeSpan.FromSeconds(1)).IsCompleted.Should().BeFalse();

            ExecutionContext.IsFlowSuppressed().Should().Be(suppressed);
        }
        time.Suppressed.Should().Equal(true);
    }

    [Fact]
    public async Task No_release_is_lost_between_threads()
    {
        var calls = Effort.Of(20_000);
        var queue = new WaitQueue(calls, TimeProvider.System);
        var permits = 0;
        var served = 0;
        var waiting = Enumerable.Range(0, calls).Select(i => Call(i % 3)).ToArray();

        for (var i = 0; i < calls; i++)
        {
            Interlocked.Increment(ref permits);
            queue.Release(1);
        }
        await Task.WhenAll(waiting).WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);

        served.Should().Be(calls);
        queue.Count.Should().Be(0);

        async Task Call(int priority)
        {
            queue.TryEnter(priority, out var waiter).Should().BeTrue();
            // Timers of the real clock end waits on other threads while calls are released. After each such end, the call tries again.
            while (!TryTake())
                await waiter!.WaitAsync(priority == 0 ? TimeSpan.FromMilliseconds(3) : null, TestContext.Current.CancellationToken);
            waiter!.LeaveQueue();
            Interlocked.Increment(ref served);
        }

        bool TryTake()
        {
            for (var seen = Volatile.Read(ref permits); seen > 0; seen = Volatile.Read(ref permits))
            {
                if (Interlocked.CompareExchange(ref permits, seen - 1, seen) == seen)
                    return true;
            }

            return false;
        }
    }

    private static Task<WaitResult> Wait(Waiter? waiter, TimeSpan? dueIn = null) =>
        waiter!.WaitAsync(dueIn, TestContext.Current.CancellationToken).AsTask();

    /// <summary>Gets the result of a wait. Null if the wait has not ended: then the assertion fails, and the test does not hang.</summary>
    private static WaitResult? Result(Task<WaitResult> wait) => wait.IsCompletedSuccessfully ? wait.Result : null;

    private async void Begin(string name, int priority, TimeSpan? dueIn = null)
    {
        _queue.TryEnter(priority, out var waiter).Should().BeTrue();
        var result = await waiter!.WaitAsync(dueIn, TestContext.Current.CancellationToken);
        _woken.Add($"{name}:{result}");
        waiter.LeaveQueue();
    }

    private sealed class FlowWatchingTime : TimeProvider
    {
        public List<bool> Suppressed { get; } = [];

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            Suppressed.Add(ExecutionContext.IsFlowSuppressed());
            return base.CreateTimer(callback, state, Timeout.InfiniteTimeSpan, period);
        }
    }
}
