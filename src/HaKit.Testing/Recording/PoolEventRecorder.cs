namespace HaKit.Testing;

/// <summary>
/// Records the events of a pool, from its creation until it is disposed. Thread-safe. On a manual clock, events arrive with the next move of the clock.
/// </summary>
public sealed class PoolEventRecorder : IDisposable
{
    private readonly Lock _lock = new();
    private readonly int _capacity;
    private readonly List<PoolEvent> _events = [];
    private readonly PoolEventSubscription _subscription;

    /// <summary>Starts recording.</summary>
    /// <param name="pool">The pool whose events are recorded.</param>
    /// <param name="capacity">The number of events that are kept. The first events are kept; later events only increase <see cref="Seen"/>. Default 10,000.</param>
    public PoolEventRecorder(EndpointPool pool, int capacity = 10_000)
    {
        ArgumentNullException.ThrowIfNull(pool);
        _capacity = capacity;
        _subscription = pool.Events.Subscribe(10_000);
        _ = ReadAsync();
    }

    /// <summary>Gets the number of events so far.</summary>
    public long Seen { get; private set; }

    /// <summary>Gets the kept events, in order.</summary>
    public IReadOnlyList<PoolEvent> All
    {
        get
        {
            lock (_lock)
                return [.. _events];
        }
    }

    internal Action<PoolEvent>? Happened { get; set; }

    /// <summary>Returns the kept events of one type, in order.</summary>
    /// <typeparam name="T">The type of the events, for example <see cref="EndpointEjected"/>.</typeparam>
    public IReadOnlyList<T> GetEvents<T>() where T : PoolEvent => [.. All.OfType<T>()];

    /// <summary>Stops recording.</summary>
    public void Dispose() => _subscription.Dispose();

    private async Task ReadAsync()
    {
        await foreach (var happened in _subscription.ConfigureAwait(false))
        {
            lock (_lock)
            {
                Seen++;
                if (_events.Count < _capacity)
                    _events.Add(happened);
            }
            Happened?.Invoke(happened);
        }
    }
}
