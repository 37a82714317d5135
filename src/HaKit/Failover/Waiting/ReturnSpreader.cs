using HaKit.Limits;

namespace HaKit.Failover.Waiting;

/// <summary>
/// Releases the calls that waited for the end of an outage, the oldest first, in steps over a tenth of the outage's length. This is fast enough to add little
/// to the outage, and slow enough that the calls do not all arrive at the first returned endpoint at the same time. One for each pool; thread-safe.
/// </summary>
internal sealed class ReturnSpreader
{
    private const int Steps = 20;

    // At most 200 calls a second.
    private static readonly TimeSpan ForEach = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(5);

    private readonly WaitQueue _queue;
    private readonly ITimer _timer;
    private int _perStep;
    private int _stepsLeft;

    public ReturnSpreader(WaitQueue queue, TimeProvider time)
    {
        _queue = queue;
        // The timer outlives the call, so it must not keep the call's execution context.
        var flow = ExecutionContext.IsFlowSuppressed() ? default : ExecutionContext.SuppressFlow();
        using (flow)
            _timer = time.CreateTimer(static spreader => ((ReturnSpreader)spreader!).Step(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Begins to release all waiting calls, because an outage of this length has ended.</summary>
    public void Release(TimeSpan lasted)
    {
        var count = _queue.Count;
        if (count == 0)
            return;
        var spread = lasted / 10 < ForEach * count ? ForEach * count : lasted / 10;
        if (spread > Longest)
            spread = Longest;
        Volatile.Write(ref _perStep, (count + Steps - 1) / Steps);
        Volatile.Write(ref _stepsLeft, Steps);
        // Timers count whole milliseconds.
        var pause = TimeSpan.FromMilliseconds(Math.Max(1, Math.Ceiling((spread / Steps).TotalMilliseconds)));
        _timer.Change(pause, pause);
    }

    /// <summary>Stops the release by time, because a call has failed.</summary>
    public void Stop() => Volatile.Write(ref _stepsLeft, 0);

    private void Step()
    {
        if (Interlocked.Decrement(ref _stepsLeft) < 0)
        {
            _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            return;
        }
        _queue.Release(Volatile.Read(ref _perStep));
    }
}
