using HaKit.Failover;
using HaKit.Failover.Waiting;
using HaKit.Faults;
using HaKit.Limits;
using HaKit.Testing;

namespace HaKit.Tests.Failover;

/// <summary>
/// Tests the single decisions about waiting: which faults time can heal, how released calls are spread, what the status says about waiting calls, and how often
/// probes are sent.
/// </summary>
public sealed class WaitingRoomTests
{
    private static TimeSpan S(double seconds) => TimeSpan.FromSeconds(seconds);

    [Theory]
    [InlineData(FaultKind.ConnectFailed, "InTime")]
    [InlineData(FaultKind.ConnectTimeout, "InTime")]
    [InlineData(FaultKind.DnsFailed, "InTime")]
    [InlineData(FaultKind.TlsFailed, "InTime")]
    [InlineData(FaultKind.BreakerOpen, "InTime")]
    [InlineData(FaultKind.FirstContentTimeout, "InTime")]
    [InlineData(FaultKind.ServerError, "InTime")]
    [InlineData(FaultKind.Overloaded, "InTime")]
    [InlineData(FaultKind.Throttled, "InTime")]
    [InlineData(FaultKind.Superseded, "InTime")]
    [InlineData(FaultKind.DeadlineExceeded, "InTime")]
    [InlineData(FaultKind.CallerCancelled, "InTime")]
    [InlineData(FaultKind.Unknown, "Doubtful")]
    [InlineData(FaultKind.Unauthorized, "Never")]
    [InlineData(FaultKind.Forbidden, "Never")]
    [InlineData(FaultKind.QuotaExhausted, "Never")]
    [InlineData(FaultKind.ModelNotFound, "Never")]
    [InlineData(FaultKind.InvalidRequest, "Never")]
    [InlineData(FaultKind.RequestTooLarge, "Never")]
    [InlineData(FaultKind.ContextLength, "Never")]
    [InlineData(FaultKind.ContentFilter, "Never")]
    public void Each_kind_of_fault_heals_in_time_or_does_not(FaultKind kind, string healing) =>
        FaultHealing.Classify(new Fault(kind)).ToString().Should().Be(healing);

    [Fact]
    public void A_named_time_heals_a_condition_or_a_refusal_does_not()
    {
        FaultHealing.Classify(new Fault(FaultKind.QuotaExhausted) { RetryAfter = S(5) }).Should().Be(Healing.InTime);
        FaultHealing.Classify(new Fault(FaultKind.QuotaExhausted) { RetryAfter = S(5), UntilCleared = true }).Should().Be(Healing.Never);
        FaultHealing.Classify(new Fault(FaultKind.ServerError) { UntilCleared = true }).Should().Be(Healing.Never);
        FaultHealing.Classify(new Fault(FaultKind.ServerError) { SecondOpinion = SecondOpinion.One }).Should().Be(Healing.Never);
        FaultHealing.Classify(new Fault(FaultKind.ServerError) { IsProvisional = true }).Should().Be(Healing.Never);
    }

    [Theory]
    [InlineData(40, 10, 1)] // a tenth of ten seconds
    [InlineData(40, 0.1, 0.2)] // five milliseconds for each
    [InlineData(40, 600, 5)] // at most five seconds
    [InlineData(2000, 10, 5)]
    public void Calls_that_waited_are_let_in_by_twenty_steps_over_a_tenth_of_the_outage(int calls, double lasted, double over)
    {
        var time = new ManualTimeProvider();
        var queue = new WaitQueue(5000, time);
        var waits = Enumerable.Range(0, calls).Select(_ => queue.TryEnter(0, out var waiter) ? Wait(waiter) : throw new InvalidOperationException()).ToArray();
        new ReturnSpreader(queue, time).Release(S(lasted));

        Ended().Should().Be(0, "the first step comes after a pause");
        time.Advance(S(over / 20));
        Ended().Should().Be(calls / 20);
        time.Advance(S(over / 20));
        Ended().Should().Be(calls / 10);
        time.Advance(S(over * 18 / 20));
        Ended().Should().Be(calls);
        for (var i = 0; i < calls; i++)
            queue.TryEnter(0, out _);
        time.Advance(S(60));
        queue.Release(calls).Should().Be(calls, "after the last step the timer releases no other call");

        int Ended() => waits.Count(static w => w.IsCompleted);

        static async Task Wait(Waiter waiter)
        {
            await waiter.WaitAsync(null, CancellationToken.None);
            waiter.LeaveQueue();
        }
    }

    [Fact]
    public void After_a_failure_no_more_calls_are_let_in_by_time()
    {
        var time = new ManualTimeProvider();
        var queue = new WaitQueue(100, time);
        var waits = Enumerable.Range(0, 41).Select(_ => queue.TryEnter(0, out var waiter) ? waiter.WaitAsync(null, CancellationToken.None).AsTask() : throw new InvalidOperationException()).ToArray();
        var spreader = new ReturnSpreader(queue, time);
        spreader.Release(S(10));
        time.Advance(S(0.05));
        waits.Count(static w => w.IsCompleted).Should().Be(3, "41 in twenty steps are three in each");
        spreader.Stop();
        time.Advance(S(60));
        waits.Count(static w => w.IsCompleted).Should().Be(3);
    }

    [Fact]
    public void Of_waiting_calls_the_oldest_and_the_first_that_gives_up_are_told()
    {
        var calls = new WaitingCalls();
        calls.Read().Should().Be(new WaitingSummary(0, null, null));
        var (early, late, patient) = (Call(10), Call(20), Call(15));
        calls.Add(late, S(30));
        calls.Add(early, S(100));
        calls.Add(patient, TimeSpan.MaxValue);
        calls.Read().Should().Be(new WaitingSummary(3, S(10), S(30)));
        calls.Add(late, S(200));
        calls.Read().Should().Be(new WaitingSummary(3, S(10), S(100)), "a call that goes on waiting is counted once");
        calls.Remove(early);
        early.IsWaiting.Should().BeFalse();
        calls.Remove(early);
        calls.Read().Should().Be(new WaitingSummary(2, S(15), S(200)));
        calls.Remove(late);
        calls.Read().Should().Be(new WaitingSummary(1, S(15), null), "it has no deadline");

        static FailoverCall Call(double began) => new FailoverCall(new ManualTimeProvider()).Begin(RequestProfile.Default, isStream: false, S(100), S(began), CancellationToken.None);
    }

    [Theory]
    [InlineData(-1, 0.1)]
    [InlineData(0, 0.1)]
    [InlineData(5, 0.175)]
    [InlineData(10, 0.25)]
    [InlineData(15, 0.575)]
    [InlineData(20, 0.9)]
    [InlineData(3600, 0.9)]
    public void Pauses_between_cheap_probes_grow_with_the_age_of_the_outage(double age, double pause) =>
        OutagePace.ProbePauseAt(S(age)).Should().BeCloseTo(S(pause), TimeSpan.FromMicroseconds(1));
}
