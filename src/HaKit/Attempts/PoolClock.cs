namespace HaKit.Attempts;

/// <summary>Monotonic time of one pool, counted from its creation. The wall clock is asked only to read dates that servers send.</summary>
internal sealed class PoolClock(TimeProvider time)
{
    private readonly long _origin = time.GetTimestamp();
    private readonly double _ticksPerStep = (double)TimeSpan.TicksPerSecond / time.TimestampFrequency;
    private long _tickBy = long.MaxValue;
    private long _stoodStillUntil = -1;

    public TimeProvider Time { get; } = time;

    // What TimeProvider.GetElapsedTime does, without asking again how long a step is.
    public TimeSpan Now => new((long)((Time.GetTimestamp() - _origin) * _ticksPerStep));

    /// <summary>A timer of ours will have fired by then, unless our own process stands still.</summary>
    public void ExpectTickBy(TimeSpan by) => Volatile.Write(ref _tickBy, by.Ticks);

    /// <summary>Our own process stood still until now.</summary>
    public void StoodStill(TimeSpan until) => Volatile.Write(ref _stoodStillUntil, until.Ticks);

    /// <summary>Is some of the time that has passed since <paramref name="began"/> a pause of our own process? Known even before the late timer fires.</summary>
    public bool StoodStillSince(TimeSpan began, TimeSpan now) => began.Ticks < Volatile.Read(ref _stoodStillUntil) || now.Ticks > Volatile.Read(ref _tickBy);
}
