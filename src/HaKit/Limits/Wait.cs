namespace HaKit.Limits;

/// <summary>Represents one wait. The first thread that claims it ends it once; its continuation runs where it is finished.</summary>
internal sealed class Wait : TaskCompletionSource<WaitResult>
{
    // Longer than a timer can take, and longer than any call waits.
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
        // The wait may have ended before there was a timer to stop. The barrier prevents that both threads miss the other's write.
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
        // Not Dispose, because it would wait for a callback that may be waiting for this thread.
        _registration.Unregister();
    }
}
