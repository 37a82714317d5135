namespace HaKit.Batch.Running;

/// <summary>
/// Wakes the one loop of a run. Each event that may change the next step sets the signal, and a timer sets it too. A signal that comes while the loop is busy
/// is kept for the loop's next wait. The continuation of a wait runs on the thread that set the signal.
/// </summary>
internal sealed class RunSignal : IDisposable
{
    private readonly Lock _lock = new();
    private readonly ITimer _timer;
    private TaskCompletionSource? _waiting;
    private bool _isSet;

    public RunSignal(TimeProvider time) => _timer = time.CreateTimer(static signal => ((RunSignal)signal!).Set(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

    public void Set()
    {
        TaskCompletionSource? waiting;
        lock (_lock)
        {
            waiting = _waiting;
            _waiting = null;
            _isSet = waiting is null;
        }
        waiting?.SetResult();
    }

    public Task WaitAsync(TimeSpan? atMost)
    {
        TaskCompletionSource waiting;
        lock (_lock)
        {
            if (_isSet)
            {
                _isSet = false;
                return Task.CompletedTask;
            }
            _waiting = waiting = new TaskCompletionSource();
        }
        if (atMost is { } span)
            _timer.Change(TimeSpan.FromTicks(Math.Clamp(span.Ticks, 0, TimeSpan.TicksPerDay)), Timeout.InfiniteTimeSpan);
        return waiting.Task;
    }

    public void Dispose() => _timer.Dispose();
}
