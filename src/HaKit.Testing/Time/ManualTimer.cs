namespace HaKit.Testing;

/// <summary>A timer of a <see cref="ManualTimeProvider"/>; every field is guarded by the clock's lock.</summary>
internal sealed class ManualTimer(ManualTimeProvider clock, TimerCallback callback, object? state) : ITimer
{
    // Like the system's timers: the creator's context flows unless it was suppressed.
    private readonly ExecutionContext? _context = ExecutionContext.Capture();

    /// <summary>The slot in the heap; negative while not armed.</summary>
    public int HeapIndex { get; set; } = -1;

    /// <summary>Ticks between firings; 0 for a timer that fires once.</summary>
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
