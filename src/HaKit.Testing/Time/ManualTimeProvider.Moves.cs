namespace HaKit.Testing;

/// The members that move the clock.
public sealed partial class ManualTimeProvider
{
    private static readonly TimeSpan DefaultBound = TimeSpan.FromDays(1);

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
        var until = After(by);
        using (new InlineContinuations(this))
        {
            while (FireNext(until))
            { }
        }

        MoveTo(until);
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
        MoveTo(After(duration));
        Advance(TimeSpan.Zero);
    }

    /// <summary>Advances to the next armed timer and fires only that timer.</summary>
    /// <returns>False when no timer is armed; the clock then does not move.</returns>
    public bool AdvanceToNextTimer()
    {
        using (new InlineContinuations(this))
            return FireNext(long.MaxValue);
    }

    /// <summary>Advances from timer to timer until none is armed.</summary>
    /// <param name="within">The longest virtual time that this may take. Default 1 day.</param>
    /// <exception cref="TimeoutException">Timers were still armed after <paramref name="within"/>, for example because a timer re-arms itself.</exception>
    public void RunUntilIdle(TimeSpan? within = null)
    {
        var bound = within ?? DefaultBound;
        var until = After(bound);
        using (new InlineContinuations(this))
        {
            while (FireNext(until))
            { }
        }

        ThrowIfStrayed();
        if (ArmedTimers == 0)
            return;
        MoveTo(until);
        throw new TimeoutException($"{ArmedTimers} timer(s) still armed after {bound} of virtual time: something re-arms itself (a heartbeat, a periodic timer). Use Advance, or RunUntil with a task.");
    }

    /// <summary>
    /// Advances from timer to timer on this thread until the task has completed. Then returns the task's
    /// result or throws its exception.
    /// </summary>
    /// <param name="task">The task to wait for. It must have been started on this thread, without a synchronization context.</param>
    /// <param name="within">The longest virtual time that this may take. Default 1 day.</param>
    /// <exception cref="InvalidOperationException">No timer is armed and the task has not completed. It waits for something that is not on this clock.</exception>
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
    /// <exception cref="InvalidOperationException">The work waits for something that is not on this clock.</exception>
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

    private void Drive(Task task, TimeSpan bound)
    {
        var until = After(bound);
        using var inline = new InlineContinuations(this);
        while (!task.IsCompleted)
        {
            if (FireNext(until))
                continue;
            if (task.IsCompleted)
                return;
            ThrowIfStrayed();
            if (ArmedTimers == 0)
                throw new InvalidOperationException("No timer is armed and the task has not completed: it waits for something that is not on this clock, or went on on another thread.");
            MoveTo(until);
            throw new TimeoutException($"The task had not completed after {bound} of virtual time.");
        }
    }

    private bool FireNext(long until)
    {
        ManualTimer timer;
        lock (_lock)
        {
            if (_armed.Count == 0 || _armed.NextDue > until)
                return false;
            timer = _armed.TakeNext(out var due);
            if (due > _elapsed)
                Volatile.Write(ref _elapsed, due);
            if (timer.Period > 0)
                _armed.Arm(timer, NextPeriod(due, timer.Period), _armings++);
        }

        timer.Fire();
        return true;
    }

    // The rule of the system's timers: no drift, but a timer that is a whole period late fires again after one millisecond.
    private long NextPeriod(long due, long period) =>
        due + period > _elapsed ? due + period : _elapsed + TimeSpan.TicksPerMillisecond;

    private long After(TimeSpan span)
    {
        var now = Volatile.Read(ref _elapsed);
        return span.Ticks > long.MaxValue - now ? long.MaxValue : now + span.Ticks;
    }

    private void MoveTo(long elapsed)
    {
        lock (_lock)
        {
            if (elapsed > _elapsed)
                Volatile.Write(ref _elapsed, elapsed);
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
