namespace HaKit.Testing;

/// <content>What moves the clock.</content>
public sealed partial class ManualTimeProvider
{
    private static readonly TimeSpan DefaultBound = TimeSpan.FromDays(1);

    /// <summary>
    /// Lets time pass: every timer due meanwhile fires at its own instant, also those armed by earlier ones.
    /// </summary>
    /// <param name="by">How long, not negative. Zero fires what is due now.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="by"/> is negative.</exception>
    /// <remarks>An exception thrown by a timer's callback comes out here, with the clock at that timer's instant.</remarks>
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
    /// Our own process stands still (a long collection, a suspended machine): the time passes first, then every
    /// overdue timer fires late, all at the same instant, in the order they were due. A periodic timer that missed
    /// several firings fires once, as the system's do.
    /// </summary>
    /// <param name="duration">How long, not negative.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="duration"/> is negative.</exception>
    public void Pause(TimeSpan duration)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(duration, TimeSpan.Zero);
        MoveTo(After(duration));
        Advance(TimeSpan.Zero);
    }

    /// <summary>Advances to the next armed timer and fires that one alone.</summary>
    /// <returns>False, with the clock unmoved, when no timer is armed.</returns>
    public bool AdvanceToNextTimer()
    {
        using (new InlineContinuations(this))
            return FireNext(long.MaxValue);
    }

    /// <summary>Advances from timer to timer until none is armed.</summary>
    /// <param name="within">The longest virtual time that this may take. Default 1 day.</param>
    /// <exception cref="TimeoutException">Timers were still armed after <paramref name="within"/>: something re-arms itself.</exception>
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
    /// Advances from timer to timer on this thread until the task has completed, and no further; then returns its
    /// result or throws what it threw.
    /// </summary>
    /// <param name="task">What to wait for; begun on this thread, without a synchronization context.</param>
    /// <param name="within">The longest virtual time that this may take. Default 1 day.</param>
    /// <exception cref="InvalidOperationException">No timer is armed and the task has not completed: it waits for something that is not on this clock.</exception>
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
    /// Begins <paramref name="work"/> without a synchronization context, whatever the caller's is, and runs it to its
    /// end as <see cref="RunUntil(Task, TimeSpan?)"/> does.
    /// </summary>
    /// <param name="work">What to run.</param>
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

    // The system's rule: no drift, but a timer that is a whole period late fires again a millisecond from now.
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

    /// <summary>Under a foreign synchronization context, awaits would resume on the pool instead of inline.</summary>
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
