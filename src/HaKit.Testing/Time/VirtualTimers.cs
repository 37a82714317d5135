namespace HaKit.Testing;

/// <summary>The virtual time and the armed timers. Thread-safe. Timers fire on the thread that moves the time.</summary>
internal sealed class VirtualTimers
{
    private readonly Lock _lock = new();
    private readonly TimerHeap _armed = new();
    private long _elapsed;
    private long _armings;

    /// <summary>Gets the ticks that have passed.</summary>
    public long Elapsed => Volatile.Read(ref _elapsed);

    /// <summary>Gets the number of armed timers.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
                return _armed.Count;
        }
    }

    /// <summary>Gets the time until the next timer is due. Zero if the timer is overdue. Null if no timer is armed.</summary>
    public TimeSpan? UntilNext
    {
        get
        {
            lock (_lock)
                return _armed.Count == 0 ? null : new TimeSpan(Math.Max(0, _armed.NextDue - _elapsed));
        }
    }

    /// <summary>Arms a timer, or disarms it. False if it was disposed.</summary>
    public bool TryArm(ManualTimer timer, TimeSpan dueTime, TimeSpan period)
    {
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

    /// <summary>Removes a disposed timer.</summary>
    public void Remove(ManualTimer timer)
    {
        lock (_lock)
        {
            timer.IsDisposed = true;
            _armed.Disarm(timer);
        }
    }

    /// <summary>
    /// Moves the time to the next timer and fires the timer. If no timer is due until the given time, returns false and does not move the time.
    /// </summary>
    public bool TryFireNext(long until)
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

    /// <summary>Moves the time forward without firing timers.</summary>
    public void MoveTo(long elapsed)
    {
        lock (_lock)
        {
            if (elapsed > _elapsed)
                Volatile.Write(ref _elapsed, elapsed);
        }
    }

    /// <summary>Gets the time after a span from now.</summary>
    public long After(TimeSpan span)
    {
        var now = Volatile.Read(ref _elapsed);
        return span.Ticks > long.MaxValue - now ? long.MaxValue : now + span.Ticks;
    }

    // The rule is the same as for the system's timers: there is no drift, but a timer that is a whole period late fires again after one millisecond.
    private long NextPeriod(long due, long period) =>
        due + period > _elapsed ? due + period : _elapsed + TimeSpan.TicksPerMillisecond;
}
