namespace HaKit.Testing;

/// <summary>
/// A virtual clock for tests. The clock stands still until a test moves it. Timers fire on the thread that moves the clock, in the order in which they are due.
/// Timers that are due at the same time fire in the order in which they were armed.
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
public sealed class ManualTimeProvider : TimeProvider
{
    private static readonly TimeSpan MaxTimerSpan = TimeSpan.FromMilliseconds(uint.MaxValue - 1);
    private static readonly TimeSpan DefaultBound = TimeSpan.FromDays(1);

    private readonly VirtualTimers _timers = new();
    private readonly DateTimeOffset _start;
    private long _wallOffset;
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
    public TimeSpan Elapsed => new(_timers.Elapsed);

    /// <summary>Gets the number of armed timers. Disposed, fired and disarmed timers do not count.</summary>
    public int ArmedTimers => _timers.Count;

    /// <summary>Gets the time until the next armed timer is due (zero when it is overdue); null when no timer is armed.</summary>
    public TimeSpan? UntilNextTimer => _timers.UntilNext;

    /// <inheritdoc/>
    // The first timestamp is one day, because a real machine's clock is not at zero when a program starts.
    public override long GetTimestamp()
    {
        CheckThread();
        return TimeSpan.TicksPerDay + _timers.Elapsed;
    }

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow()
    {
        CheckThread();
        return _start.AddTicks(_timers.Elapsed + Volatile.Read(ref _wallOffset));
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
    /// Forbids every use of the clock on another thread from now on: such a use, and the next move of the clock, throw an <see
    /// cref="InvalidOperationException"/>. Therefore a continuation that leaves the thread fails the test.
    /// </summary>
    public void ConfineToCurrentThread() => _ownerThread = Environment.CurrentManagedThreadId;

    /// <summary>
    /// Advances the clock. Every timer that becomes due fires at its own instant, including timers that earlier callbacks arm.
    /// </summary>
    /// <param name="by">The time to advance; not negative. Zero fires the timers that are due now.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="by"/> is negative.</exception>
    /// <remarks>
    /// An exception of a timer's callback is thrown by this method; the clock then stands at that timer's instant.
    /// </remarks>
    public void Advance(TimeSpan by)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(by, TimeSpan.Zero);
        var until = _timers.After(by);
        using (new InlineContinuations(this))
        {
            while (_timers.TryFireNext(until))
            { }
        }

        _timers.MoveTo(until);
        ThrowIfStrayed();
    }

    /// <summary>
    /// Simulates a pause of the process (a long garbage collection, a suspended machine). The time passes first, then every
    /// overdue timer fires late, all at the same instant, in the order in which they were due. A periodic timer that missed
    /// several firings fires once, as the system's timers do.
    /// </summary>
    /// <param name="duration">The duration of the pause; not negative.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="duration"/> is negative.</exception>
    public void Pause(TimeSpan duration)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(duration, TimeSpan.Zero);
        _timers.MoveTo(_timers.After(duration));
        Advance(TimeSpan.Zero);
    }

    /// <summary>Advances to the next armed timer and fires only that timer.</summary>
    /// <returns>False when no timer is armed; the clock then does not move.</returns>
    public bool AdvanceToNextTimer()
    {
        using (new InlineContinuations(this))
            return _timers.TryFireNext(long.MaxValue);
    }

    /// <summary>Advances from timer to timer until none is armed.</summary>
    /// <param name="within">The longest virtual time that this may take. Default 1 day.</param>
    /// <exception cref="TimeoutException">Timers were still armed after <paramref name="within"/>, for example because a timer re-arms itself.</exception>
    public void RunUntilIdle(TimeSpan? within = null)
    {
        var bound = within ?? DefaultBound;
        var until = _timers.After(bound);
        using (new InlineContinuations(this))
        {
            while (_timers.TryFireNext(until))
            { }
        }

        ThrowIfStrayed();
        if (ArmedTimers == 0)
            return;
        _timers.MoveTo(until);
        throw new TimeoutException($"{ArmedTimers} timer(s) still armed after {DurationText.OfSetting(bound)} of virtual time: something re-arms itself (a heartbeat, a periodic timer). Use Advance, or RunUntil with a task.");
    }

    /// <summary>
    /// Advances from timer to timer on this thread until the task has completed. Then returns the task's
    /// result or throws its exception.
    /// </summary>
    /// <param name="task">The task to wait for. It must have been started on this thread, without a synchronization context.</param>
    /// <param name="within">The longest virtual time that this may take. Default 1 day.</param>
    /// <exception cref="InvalidOperationException">
    /// No timer is armed and the task has not completed, because it waits for an event that this clock does not control.
    /// </exception>
    /// <exception cref="TimeoutException">The task had not completed after <paramref name="within"/>.</exception>
    public void RunUntil(Task task, TimeSpan? within = null)
    {
        ArgumentNullException.ThrowIfNull(task);
        Drive(task, within ?? DefaultBound);
        task.GetAwaiter().GetResult();
    }

    /// <inheritdoc cref="RunUntil(Task, TimeSpan?)"/>
    public T RunUntil<T>(Task<T> task, TimeSpan? within = null)
    {
        ArgumentNullException.ThrowIfNull(task);
        Drive(task, within ?? DefaultBound);
        return task.GetAwaiter().GetResult();
    }

    /// <inheritdoc cref="RunUntil(Task, TimeSpan?)"/>
    public void RunUntil(ValueTask task, TimeSpan? within = null) => RunUntil(task.AsTask(), within);

    /// <inheritdoc cref="RunUntil(Task, TimeSpan?)"/>
    public T RunUntil<T>(ValueTask<T> task, TimeSpan? within = null) => RunUntil(task.AsTask(), within);

    /// <summary>
    /// Starts <paramref name="work"/> without a synchronization context and runs it to its end in the same way as
    /// <see cref="RunUntil(Task, TimeSpan?)"/>.
    /// </summary>
    /// <param name="work">The work to run.</param>
    /// <param name="within">The longest virtual time that this may take. Default 1 day.</param>
    /// <exception cref="InvalidOperationException">The work waits for an event that this clock does not control.</exception>
    /// <exception cref="TimeoutException">The work had not ended after <paramref name="within"/>.</exception>
    public void Run(Func<Task> work, TimeSpan? within = null)
    {
        ArgumentNullException.ThrowIfNull(work);
        using (new InlineContinuations(this))
            RunUntil(work(), within);
    }

    /// <inheritdoc cref="Run(Func{Task}, TimeSpan?)"/>
    public T Run<T>(Func<Task<T>> work, TimeSpan? within = null)
    {
        ArgumentNullException.ThrowIfNull(work);
        using (new InlineContinuations(this))
            return RunUntil(work(), within);
    }

    internal bool Change(ManualTimer timer, TimeSpan dueTime, TimeSpan period)
    {
        CheckSpan(dueTime, nameof(dueTime));
        CheckSpan(period, nameof(period));
        CheckThread();
        return _timers.TryArm(timer, dueTime, period);
    }

    internal void Remove(ManualTimer timer) => _timers.Remove(timer);

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

    private void Drive(Task task, TimeSpan bound)
    {
        var until = _timers.After(bound);
        using var inline = new InlineContinuations(this);
        while (!task.IsCompleted)
        {
            if (_timers.TryFireNext(until))
                continue;
            if (task.IsCompleted)
                return;
            ThrowIfStrayed();
            if (ArmedTimers == 0)
                throw new InvalidOperationException("No timer is armed and the task has not completed: it waits for an event that this clock does not control, or continues on another thread.");
            _timers.MoveTo(until);
            throw new TimeoutException($"The task had not completed after {DurationText.OfSetting(bound)} of virtual time.");
        }
    }

    private void ThrowIfStrayed()
    {
        if (_stray is not null)
            throw new InvalidOperationException(StrayMessage);
    }

    /// <summary>Removes the synchronization context while it exists. With a context, awaits would resume on the thread pool instead of inline.</summary>
    private readonly ref struct InlineContinuations
    {
        private readonly SynchronizationContext? _callers;

        public InlineContinuations(ManualTimeProvider clock)
        {
            clock.CheckThread();
            clock.ThrowIfStrayed();
            _callers = SynchronizationContext.Current;
            if (_callers is not null)
                SynchronizationContext.SetSynchronizationContext(null);
        }

        public void Dispose()
        {
            if (_callers is not null)
                SynchronizationContext.SetSynchronizationContext(_callers);
        }
    }
}
