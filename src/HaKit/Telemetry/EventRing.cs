namespace HaKit.Telemetry;

/// <summary>
/// Holds the unread events of one subscriber. Bounded: the oldest events are dropped and counted. Adding an event never waits and never runs the reader's code.
/// A timer wakes a waiting reader, so that the reader does not delay a writer, and runs on the timer's thread in tests with virtual time. Any number of
/// writers, one reader.
/// </summary>
internal sealed class EventRing<T> where T : class
{
    private readonly Lock _gate = new();
    private readonly T?[] _items;
    private readonly ITimer _wake;
    private TaskCompletionSource? _waiter;
    private int _first;
    private int _count;
    private long _dropped;
    private bool _isCompleted;

    public EventRing(int capacity, TimeProvider time)
    {
        _items = new T[capacity];
        _wake = time.NewTimer(static ring => ((EventRing<T>)ring!).Wake(), this);
    }

    public void Add(T item)
    {
        lock (_gate)
        {
            if (_isCompleted)
                return;
            if (_count == _items.Length)
            {
                _first = (_first + 1) % _items.Length;
                _count--;
                _dropped++;
            }
            _items[(_first + _count++) % _items.Length] = item;
            WakeWhileLocked();
        }
    }

    /// <summary>Ends the events. The remaining events can still be read.</summary>
    public void Complete()
    {
        lock (_gate)
        {
            _isCompleted = true;
            WakeWhileLocked();
            if (_waiter is null)
                _wake.Dispose();
        }
    }

    /// <summary>Reads the oldest event, and the number of events that were dropped before it since the last read.</summary>
    public bool TryRead(out T? item, out long dropped)
    {
        lock (_gate)
        {
            dropped = 0;
            item = null;
            if (_count == 0)
                return false;
            item = _items[_first];
            _items[_first] = null;
            _first = (_first + 1) % _items.Length;
            _count--;
            (dropped, _dropped) = (_dropped, 0);
            return true;
        }
    }

    /// <summary>Waits for an event. Returns true if an event can be read, and false if the events have ended. Throws if cancelled.</summary>
    public async ValueTask<bool> WaitAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            TaskCompletionSource waiter;
            lock (_gate)
            {
                if (_count > 0 || _isCompleted)
                    return _count > 0;
                _waiter = waiter = new TaskCompletionSource();
            }
            var registration = cancellationToken.UnsafeRegister(static ring => ((EventRing<T>)ring!).WakeForCancellation(), this);
            try
            {
                await waiter.Task.ConfigureAwait(false);
            }
            finally
            {
                registration.Unregister();
            }
        }
    }

    private void WakeForCancellation()
    {
        lock (_gate)
            WakeWhileLocked();
    }

    private void WakeWhileLocked()
    {
        if (_waiter is not null)
            _wake.Change(TimeSpan.Zero, Timeout.InfiniteTimeSpan);
    }

    private void Wake()
    {
        TaskCompletionSource? waiter;
        lock (_gate)
        {
            (waiter, _waiter) = (_waiter, null);
            if (_isCompleted)
                _wake.Dispose();
        }
        waiter?.TrySetResult();
    }
}
