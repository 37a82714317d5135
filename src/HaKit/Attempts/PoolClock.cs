namespace HaKit.Attempts;

/// <summary>Provides the monotonic time of one pool, counted from its creation. The wall clock is read only to interpret dates that servers send.</summary>
internal sealed class PoolClock(TimeProvider time)
{
    private readonly long _origin = time.GetTimestamp();
    private readonly double _ticksPerStep = (double)TimeSpan.TicksPerSecond / time.TimestampFrequency;
    private long _tickBy = long.MaxValue;
    private long _pausedUntil = -1;

    public TimeProvider Time { get; } = time;

    // The same as TimeProvider.GetElapsedTime, but without a new computation of the step's length.
    public TimeSpan Now => new((long)((Time.GetTimestamp() - _origin) * _ticksPerStep));

    /// <summary>Records that a timer of this process will have fired by the given time, unless the process pauses.</summary>
    public void ExpectTickBy(TimeSpan by) => Volatile.Write(ref _tickBy, by.Ticks);

    /// <summary>Records that this process was paused until the given time.</summary>
    public void RecordPause(TimeSpan until) => Volatile.Write(ref _pausedUntil, until.Ticks);

    /// <summary>
    /// Checks whether a part of the time since <paramref name="began"/> was a pause of this process. This is known even before the late timer fires.
    /// </summary>
    public bool WasPausedSince(TimeSpan began, TimeSpan now) => began.Ticks < Volatile.Read(ref _pausedUntil) || now.Ticks > Volatile.Read(ref _tickBy);
}
