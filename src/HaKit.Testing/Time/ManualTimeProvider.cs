namespace HaKit.Testing;

/// <summary>
/// A virtual clock for tests. It stands still until a test moves it, and fires timers on the thread that moves it,
/// in the order in which they are due (timers due at the same time in the order in which they were armed).
/// </summary>
/// <remarks>
/// <para>
/// Monotonic time (<see cref="GetTimestamp"/>, 100 ns ticks) and timers move together; the wall clock
/// (<see cref="GetUtcNow"/>) follows them and can be moved alone with <see cref="JumpWallClock"/>.
/// A timer with a due time of zero fires at the next move, never inside the call that arms it.
/// </para>
/// <para>
/// While timers fire, no <see cref="SynchronizationContext"/> is current, so continuations of the awaited tasks run
/// inline on the same thread. Thread-safe: timers may be created, changed and disposed on any thread; only one
/// thread should move the clock. <see cref="ConfineToCurrentThread"/> refuses the use of the clock on every other thread.
/// </para>
/// </remarks>
public sealed partial class ManualTimeProvider : TimeProvider
{
    private static readonly TimeSpan MaxTimerSpan = TimeSpan.FromMilliseconds(uint.MaxValue - 1);

    private readonly Lock _lock = new();
    private readonly TimerHeap _armed = new();
    private readonly DateTimeOffset _start;
    private long _elapsed;
    private long _wallOffset;
    private long _armings;
    private int _ownerThread;
    private string? _stray;

    /// <summary>Creates a clock that shows 2025-01-01 00:00 UTC.</summary>
    public ManualTimeProvider()
        : this(new DateTimeOffset(2025, 1, 1, 0, 0, 0, TimeSpan.Zero))
    {
    }

    /// <summary>Creates a clock that shows the given time.</summary>
    /// <param name="start">The time that the wall clock shows before the first move.</param>
    public ManualTimeProvider(DateTimeOffset start) => _start = start.ToUniversalTime();

    /// <summary>Gets the ticks per second of <see cref="GetTimestamp"/>: 10,000,000, so that elapsed times are exact.</summary>
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <summary>Gets UTC, so that a test gives the same result on every machine.</summary>
    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    /// <summary>Gets the virtual time since the clock was created. Jumps of the wall clock do not count.</summary>
    public TimeSpan Elapsed => new(Volatile.Read(ref _elapsed));

    /// <summary>Gets the number of armed timers. Disposed, fired and disarmed timers do not count.</summary>
    public int ArmedTimers
    {
        get
        {
            lock (_lock)
                return _armed.Count;
        }
    }

    /// <summary>Gets the time until the next armed timer is due (zero when it is overdue); null when no timer is armed.</summary>
    public TimeSpan? UntilNextTimer
    {
        get
        {
            lock (_lock)
                return _armed.Count == 0 ? null : new TimeSpan(Math.Max(0, _armed.NextDue - _elapsed));
        }
    }

    /// <inheritdoc/>
    // The first timestamp is one day, because a real machine's clock is not at zero when a program starts.
    public override long GetTimestamp()
    {
        CheckThread();
        return TimeSpan.TicksPerDay + Volatile.Read(ref _elapsed);
    }

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow()
    {
        CheckThread();
        return _start.AddTicks(Volatile.Read(ref _elapsed) + Volatile.Read(ref _wallOffset));
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentOutOfRangeException">A span is negative (but not infinite) or longer than about 49.7 days.</exception>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        ArgumentNullException.ThrowIfNull(callback);
        var timer = new ManualTimer(this, callback, state);
        Change(timer, dueTime, period);
        return timer;
    }

    /// <summary>
    /// Moves only the wall clock, as a correction of the machine's clock does. Timestamps and timers are not affected.
    /// </summary>
    /// <param name="by">The length of the jump. Negative moves the clock backwards.</param>
    public void JumpWallClock(TimeSpan by) => Interlocked.Add(ref _wallOffset, by.Ticks);

    /// <summary>
    /// Refuses from now on every use of the clock on another thread: the use and the next move of the clock throw an
    /// <see cref="InvalidOperationException"/>. Therefore a continuation that leaves the thread fails the test.
    /// </summary>
    public void ConfineToCurrentThread() => _ownerThread = Environment.CurrentManagedThreadId;

    internal bool Change(ManualTimer timer, TimeSpan dueTime, TimeSpan period)
    {
        CheckSpan(dueTime, nameof(dueTime));
        CheckSpan(period, nameof(period));
        CheckThread();
        lock (_lock)
        {
            if (timer.IsDisposed)
                return false;
            timer.Period = Math.Max(0, period.Ticks);
            if (dueTime == Timeout.InfiniteTimeSpan)
                _armed.Disarm(timer);
            else
                _armed.Arm(timer, _elapsed + dueTime.Ticks, _armings++);
            return true;
        }
    }

    internal void Remove(ManualTimer timer)
    {
        lock (_lock)
        {
            timer.IsDisposed = true;
            _armed.Disarm(timer);
        }
    }

    private static void CheckSpan(TimeSpan span, string name)
    {
        if ((span < TimeSpan.Zero && span != Timeout.InfiniteTimeSpan) || span > MaxTimerSpan)
            throw new ArgumentOutOfRangeException(name, span, "A timer takes a span of 0 to 4294967294 ms, or Timeout.InfiniteTimeSpan.");
    }

    private void CheckThread()
    {
        if (_ownerThread != 0 && _ownerThread != Environment.CurrentManagedThreadId)
            ThrowStray();
    }

    private void ThrowStray()
    {
        _stray ??= Environment.StackTrace;
        throw new InvalidOperationException(StrayMessage);
    }

    private string StrayMessage =>
        $"The clock is confined to thread {_ownerThread}, but was used from another: a continuation left the thread at{Environment.NewLine}{_stray}";
}
