namespace HaKit.Testing;

/// <summary>Remembers what happened to a pool, from the moment it is made. Thread-safe. On a manual clock, events come with its next move.</summary>
public sealed class PoolEventRecorder : IDisposable
{
    private readonly Lock _lock = new();
    private readonly int _capacity;
    private readonly List<PoolEvent> _events = [];
    private readonly PoolEventSubscription _subscription;

    /// <summary>Begins to record.</summary>
    /// <param name="pool">The pool.</param>
    /// <param name="capacity">How many events are kept; the first ones are, later ones only raise <see cref="Seen"/>. Default 10,000.</param>
    public PoolEventRecorder(EndpointPool pool, int capacity = 10_000)
    {
        ArgumentNullException.ThrowIfNull(pool);
        _capacity = capacity;
        _subscription = pool.Events.Subscribe(10_000);
        _ = ReadAsync();
    }

    /// <summary>How many events came.</summary>
    public long Seen { get; private set; }

    /// <summary>What happened, in order.</summary>
    public IReadOnlyList<PoolEvent> All
    {
        get
        {
            lock (_lock)
                return [.. _events];
        }
    }

    internal Action<PoolEvent>? Happened { get; set; }

    /// <summary>What happened of one kind, in order.</summary>
    /// <typeparam name="T">The kind, for instance <see cref="EndpointEjected"/>.</typeparam>
    public IReadOnlyList<T> GetEvents<T>() where T : PoolEvent => [.. All.OfType<T>()];

    /// <summary>Ends recording.</summary>
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
