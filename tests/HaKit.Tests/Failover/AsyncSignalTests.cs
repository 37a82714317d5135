using HaKit.Failover;
using HaKit.Testing;

namespace HaKit.Tests.Failover;

public sealed class AsyncSignalTests : IDisposable
{
    private readonly ManualTimeProvider _time = new();
    private readonly AsyncSignal _signal;

    public AsyncSignalTests() => _signal = new AsyncSignal(_time);

    public void Dispose() => _signal.Dispose();

    private static TimeSpan S(double seconds) => TimeSpan.FromSeconds(seconds);

    [Fact]
    public void Set_before_or_during_the_wait_it_ends_one_wait_however_often_it_was_set()
    {
        _signal.Set();
        _signal.Setter();
        Wait().IsCompletedSuccessfully.Should().BeTrue();

        var wait = Wait();
        wait.IsCompleted.Should().BeFalse("what was set before has ended the wait before");
        _signal.Set();
        wait.IsCompletedSuccessfully.Should().BeTrue();

        Wait().IsCompletedSuccessfully.Should().BeFalse("it was taken with the wait that it ended");
    }

    [Fact]
    public void What_is_set_between_two_waits_ends_the_second()
    {
        var first = Wait();
        _signal.Set();
        first.IsCompletedSuccessfully.Should().BeTrue();
        _signal.Set();
        Wait().IsCompletedSuccessfully.Should().BeTrue();
        Wait().IsCompleted.Should().BeFalse();
    }

    [Fact]
    public void It_beats_when_it_is_due_and_can_be_armed_again()
    {
        var wait = Wait();
        Arm(S(1));
        _time.Advance(S(0.999));
        wait.IsCompleted.Should().BeFalse();
        _time.Advance(S(0.001));
        wait.IsCompleted.Should().BeTrue();
        _time.ArmedTimers.Should().Be(0, "it beats once");

        wait = Wait();
        Arm(S(3));
        _time.Advance(S(1.999));
        wait.IsCompleted.Should().BeFalse();
        _time.Advance(S(0.001));
        wait.IsCompleted.Should().BeTrue();
    }

    [Fact]
    public void An_earlier_time_moves_it_and_a_later_one_leaves_the_early_beat()
    {
        Arm(S(5));
        Arm(S(2));
        _time.UntilNextTimer.Should().Be(S(2));
        Arm(S(9));
        _time.UntilNextTimer.Should().Be(S(2), "an early beat costs less than moving it");
        Arm(S(2));
        _time.UntilNextTimer.Should().Be(S(2));
    }

    [Fact]
    public void One_without_an_end_arms_nothing()
    {
        Arm(TimeSpan.MaxValue);
        _time.UntilNextTimer.Should().BeNull();
        Arm(S(1));
        Arm(TimeSpan.MaxValue);
        _time.UntilNextTimer.Should().Be(S(1));
    }

    [Fact]
    public void Parts_of_a_millisecond_are_rounded_up_and_what_is_past_is_due_at_once()
    {
        var wait = Wait();
        Arm(S(0.0012));
        _time.UntilNextTimer.Should().Be(S(0.002));
        _time.Advance(S(1));
        wait.IsCompleted.Should().BeTrue();

        wait = Wait();
        Arm(S(0.5));
        _time.Advance(TimeSpan.Zero);
        wait.IsCompleted.Should().BeTrue();
    }

    [Fact]
    public void A_time_beyond_what_timers_can_take_beats_early_and_not_never()
    {
        Arm(TimeSpan.FromDays(400));
        _time.UntilNextTimer.Should().Be(TimeSpan.FromMilliseconds(uint.MaxValue - 1));
    }

    [Fact]
    public void Disposed_of_it_beats_by_time_no_more()
    {
        Arm(S(1));
        _signal.Dispose();
        _time.UntilNextTimer.Should().BeNull();
        using var never = new AsyncSignal(_time);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Its_timer_does_not_keep_the_calls_context_and_leaves_its_flow_as_it_was(bool suppressed)
    {
        var time = new FlowWatchingTime();
        using var signal = new AsyncSignal(time);
        using (suppressed ? ExecutionContext.SuppressFlow() : (IDisposable?)null)
        {
            signal.Arm(S(1), TimeSpan.Zero);
            ExecutionContext.IsFlowSuppressed().Should().Be(suppressed);
        }
        time.Suppressed.Should().Equal(true);
    }

    private void Arm(TimeSpan due) => _signal.Arm(due, _time.Elapsed);

    private Task Wait() => _signal.WaitAsync().AsTask();

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
