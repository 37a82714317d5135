namespace HaKit.Testing;

/// <summary>A timer of a <see cref="ManualTimeProvider"/>. The clock's lock guards every field.</summary>
internal sealed class ManualTimer(ManualTimeProvider clock, TimerCallback callback, object? state) : ITimer
{
    // As for the system's timers, the callback runs in the execution context of the code that created the timer, unless the flow is suppressed.
    private readonly ExecutionContext? _context = ExecutionContext.Capture();

    /// <summary>Gets or sets the timer's index in the heap; negative while the timer is not armed.</summary>
    public int HeapIndex { get; set; } = -1;

    /// <summary>Gets or sets the ticks between firings; 0 for a timer that fires once.</summary>
    public long Period { get; set; }

    public bool IsDisposed { get; set; }

    public void Fire()
    {
        if (_context is null)
            callback(state);
        else
            ExecutionContext.Run(_context, static timer => ((ManualTimer)timer!).Invoke(), this);
    }

    public bool Change(TimeSpan dueTime, TimeSpan period) => clock.Change(this, dueTime, period);

    public void Dispose() => clock.Remove(this);

    public ValueTask DisposeAsync()
    {
        clock.Remove(this);
        return default;
    }

    private void Invoke() => callback(state);
}
