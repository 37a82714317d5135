namespace HaKit.Endpoints;

/// <summary>Monotonic time of one pool, counted from its creation. The wall clock is asked only to read dates that servers send.</summary>
internal sealed class PoolClock(TimeProvider time)
{
    private readonly long _origin = time.GetTimestamp();

    public TimeProvider Time { get; } = time;

    public TimeSpan Now => Time.GetElapsedTime(_origin);
}
