using HaKit.Telemetry;

namespace HaKit;

/// <summary>Publishes the events of a pool, for alerts, logs and dashboards. Thread-safe.</summary>
public sealed class PoolEvents
{
    private readonly Lock _gate = new();
    private readonly string _pool;
    private readonly TimeProvider _time;
    private PoolEventSubscription[] _subscriptions = [];
    private bool _isCompleted;

    internal PoolEvents(string pool, TimeProvider time) => (_pool, _time) = (pool, time);

    internal bool AreWatched => Volatile.Read(ref _subscriptions).Length > 0;

    internal string Pool => _pool;

    internal DateTimeOffset Now => _time.GetUtcNow();

    /// <summary>
    /// Subscribes to the events from now on, in order. If a reader is more than <paramref name="capacity"/> events behind, its oldest events are dropped, and
    /// an <see cref="EventsDropped"/> event contains the number of dropped events. A slow reader delays no call, because its code runs on a timer's thread.
    /// </summary>
    /// <param name="capacity">The number of unread events to keep. Default 256; at least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">The capacity is less than 1.</exception>
    public PoolEventSubscription Subscribe(int capacity = 256)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        var subscription = new PoolEventSubscription(this, new EventRing<PoolEvent>(capacity, _time));
        lock (_gate)
        {
            if (_isCompleted)
                subscription.Ring.Complete();
            else
                _subscriptions = [.. _subscriptions, subscription];
        }
        return subscription;
    }

    internal void Publish(PoolEvent happened)
    {
        foreach (var subscription in Volatile.Read(ref _subscriptions))
            subscription.Ring.Add(happened);
    }

    internal void Complete()
    {
        PoolEventSubscription[] all;
        lock (_gate)
        {
            _isCompleted = true;
            (all, _subscriptions) = (_subscriptions, []);
        }
        foreach (var subscription in all)
            subscription.Ring.Complete();
    }

    internal void Remove(PoolEventSubscription subscription)
    {
        lock (_gate)
            _subscriptions = [.. _subscriptions.Where(s => s != subscription)];
        subscription.Ring.Complete();
    }
}

/// <summary>
/// Holds the events of one reader since the start of its subscription. Enumerate it once, by one reader. The subscription ends when it is disposed, when its
/// enumeration ends, or when the pool is disposed.
/// </summary>
public sealed class PoolEventSubscription : IAsyncEnumerable<PoolEvent>, IDisposable
{
    private readonly PoolEvents _events;

    internal PoolEventSubscription(PoolEvents events, EventRing<PoolEvent> ring) => (_events, Ring) = (events, ring);

    internal EventRing<PoolEvent> Ring { get; }

    /// <summary>Reads the events.</summary>
    /// <param name="cancellationToken">Ends the reading with an <see cref="OperationCanceledException"/>.</param>
    public async IAsyncEnumerator<PoolEvent> GetAsyncEnumerator(CancellationToken cancellationToken = default)
    {
        try
        {
            while (await Ring.WaitAsync(cancellationToken).ConfigureAwait(false))
            {
                while (Ring.TryRead(out var happened, out var dropped))
                {
                    if (dropped > 0)
                        yield return new EventsDropped { Pool = _events.Pool, At = happened!.At, Count = dropped };
                    yield return happened!;
                }
            }
        }
        finally
        {
            Dispose();
        }
    }

    /// <summary>Ends the subscription.</summary>
    public void Dispose() => _events.Remove(this);
}
