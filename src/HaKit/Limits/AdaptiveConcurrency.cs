namespace HaKit.Limits;

/// <summary>
/// Learns a limit on concurrency from the server's throttling: additive increase, multiplicative decrease (Chiu and Jain, 1989). Unlimited until the first
/// throttle. Lock-free.
/// </summary>
internal sealed class AdaptiveConcurrency
{
    private const double Decrease = 0.7;

    // Calls that are in flight at the same time are refused at the same time. That is one congestion, so the limit is decreased only once.
    private const long HoldTicks = TimeSpan.TicksPerSecond;

    private double _bound = double.PositiveInfinity;
    private long _loweredAt = -HoldTicks;

    /// <summary>Gets the limit; at least 1.</summary>
    public int Bound => (int)Math.Min(int.MaxValue, Volatile.Read(ref _bound));

    public void RecordThrottle(int inFlight, TimeSpan now)
    {
        // If few attempts are in flight, they are not the reason for the refusal: the server is out, and the limit is not too high.
        if (Volatile.Read(ref _bound) is var known && !double.IsInfinity(known) && inFlight < known / 2)
            return;
        var lowered = Volatile.Read(ref _loweredAt);
        if (now.Ticks - lowered < HoldTicks || Interlocked.CompareExchange(ref _loweredAt, now.Ticks, lowered) != lowered)
            return;
        double bound;
        do
            bound = Volatile.Read(ref _bound);
        while (Interlocked.CompareExchange(ref _bound, Math.Max(1, Decrease * Math.Min(bound, inFlight)), bound) != bound);
    }

    public void RecordSuccess(int inFlight)
    {
        var bound = Volatile.Read(ref _bound);
        // If the limit was not used, a success does not show that a higher limit would work.
        if (double.IsInfinity(bound) || inFlight < bound / 2)
            return;
        // If another thread has changed the value at the same time, this step is left out.
        Interlocked.CompareExchange(ref _bound, bound + 1 / bound, bound);
    }
}
