namespace HaKit.Limits;

/// <summary>One wait: ended once, by the thread that claims it first. Its continuation runs where it is finished.</summary>
internal sealed class Wait : TaskCompletionSource<WaitResult>
{
    // Longer than a timer can take, and than anyone will wait.
    private static readonly TimeSpan LongestTimer = TimeSpan.FromDays(49);

    private ITimer? _timer;
    private CancellationTokenRegistration _registration;
    private int _claimed;

    public bool TryClaim() => Interlocked.Exchange(ref _claimed, 1) == 0;

    /// <summary>Called by the thread that claimed it.</summary>
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
        // It may have ended before there was anything to disarm; the barrier keeps one of the two from missing the other's write.
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
        // Not Dispose: that would wait for a callback that may be waiting for us.
        _registration.Unregister();
    }
}
