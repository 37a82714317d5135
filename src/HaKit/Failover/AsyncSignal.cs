using System.Threading.Tasks.Sources;

namespace HaKit.Failover;

/// <summary>
/// The signal that a call waits for. Every event of the call (an attempt ended, a cancellation, a timer) sets the signal, and the one waiter then examines the
/// whole state. An unnecessary signal is harmless, so timers and registrations may be late or stale. Later calls reuse the object.
/// </summary>
internal sealed class AsyncSignal : IValueTaskSource, IDisposable
{
    private const int Idle = 0, Waiting = 1, IsSet = 2;

    private readonly TimeProvider _time;
    private ManualResetValueTaskSourceCore<bool> _source;
    private ITimer? _timer;
    private long _armedFor = long.MaxValue;
    private int _state;

    public AsyncSignal(TimeProvider time)
    {
        _time = time;
        Setter = Set;
    }

    /// <summary>Gets <see cref="Set"/> as a delegate that is created once.</summary>
    public Action Setter { get; }

    public void Set()
    {
        if (Interlocked.Exchange(ref _state, IsSet) == Waiting)
            _source.SetResult(true);
    }

    /// <summary>Waits until the signal is set; returns at once if it was set since the last return. One waiter at a time.</summary>
    public ValueTask WaitAsync()
    {
        if (Interlocked.CompareExchange(ref _state, Waiting, Idle) == Idle)
            return new ValueTask(this, _source.Version);
        Interlocked.Exchange(ref _state, Idle);
        return default;
    }

    /// <summary>
    /// Sets the signal at <paramref name="due"/> or earlier. A timer that is due earlier is not moved, because an early signal costs less than moving the
    /// timer.
    /// </summary>
    public void Arm(TimeSpan due, TimeSpan now)
    {
        var armedFor = Volatile.Read(ref _armedFor);
        if (due == TimeSpan.MaxValue || armedFor > now.Ticks && armedFor <= due.Ticks)
            return;
        _timer ??= _time.NewTimer(static signal => ((AsyncSignal)signal!).Tick(), this);
        Volatile.Write(ref _armedFor, due.Ticks);
        // Timers count whole milliseconds. Rounding up avoids a signal that comes slightly too early.
        var wait = Math.Max(0, Math.Ceiling((due - now).TotalMilliseconds));
        _timer.Change(TimeSpan.FromMilliseconds(Math.Min(wait, uint.MaxValue - 1)), Timeout.InfiniteTimeSpan);
    }

    /// <summary>Stops the timer. Called if the signal is not reused.</summary>
    public void Dispose() => _timer?.Dispose();

    private void Tick()
    {
        Volatile.Write(ref _armedFor, long.MaxValue);
        Set();
    }

    void IValueTaskSource.GetResult(short token)
    {
        _source.GetResult(token);
        _source.Reset();
        Interlocked.Exchange(ref _state, Idle);
    }

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _source.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _source.OnCompleted(continuation, state, token, flags);
}
