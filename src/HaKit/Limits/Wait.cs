namespace HaKit.Limits;

/// <summary>
/// Represents one wait. Only the first thread that claims the wait ends it; the continuation runs on the thread that calls <see cref="Finish"/>.
/// </summary>
internal sealed class Wait : TaskCompletionSource<WaitResult>
{
    // Longer waits are limited to this time, because it is the longest time of a timer. No call waits longer.
    private static readonly TimeSpan LongestTimer = TimeSpan.FromDays(49);

    private ITimer? _timer;
    private CancellationTokenRegistration _registration;
    private int _claimed;

    public bool TryClaim() => Interlocked.Exchange(ref _claimed, 1) == 0;

    /// <summary>Ends the wait; the thread that claimed it calls this method.</summary>
    public void Finish(WaitResult result)
    {
        Disarm();
        TrySetResult(result);
    }

    public void Arm(TimeProvider time, TimeSpan? dueIn, CancellationToken cancellationToken)
    {
        if (dueIn is { } due && due < LongestTimer)
        {
            var timer = time.NewTimer(static wait => ((Wait)wait!).End(WaitResult.Due), this);
            Volatile.Write(ref _timer, timer);
            timer.Change(due, Timeout.InfiniteTimeSpan);
        }
        _registration = cancellationToken.UnsafeRegister(static wait => ((Wait)wait!).End(WaitResult.Cancelled), this);
        // The wait may have ended before the timer existed, so it could not stop the timer. The barrier ensures that at least one of the two threads sees the
        // other thread's write.
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref _claimed) != 0)
            Disarm();
    }

    private void End(WaitResult result)
    {
        if (TryClaim())
            Finish(result);
    }

    private void Disarm()
    {
        Volatile.Read(ref _timer)?.Dispose();
        // Dispose is not used, because it would wait for a callback that may be waiting for this thread.
        _registration.Unregister();
    }
}
