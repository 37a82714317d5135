using HaKit.Attempts;
using HaKit.Estimates;
using HaKit.Health;
using HaKit.Limits;
using HaKit.Telemetry;

namespace HaKit;

/// <content>What an operator may order. Each order is an event too.</content>
public sealed partial class EndpointPool
{
    private static readonly TimeSpan DrainLook = TimeSpan.FromMilliseconds(100);

    /// <summary>The endpoint finishes what it has in flight, streams included, and takes no more, until it is brought up again.</summary>
    /// <param name="endpoint">Its name.</param>
    /// <param name="cancellationToken">Ends the waiting; the endpoint stays out.</param>
    /// <returns>Completes when nothing is in flight on it.</returns>
    /// <exception cref="ArgumentException">The pool has no endpoint of this name.</exception>
    /// <exception cref="InvalidOperationException">It was brought up again before it was empty.</exception>
    public async ValueTask DrainAsync(string endpoint, CancellationToken cancellationToken = default)
    {
        var member = Order(PoolOrder.Drain, HealthOrder.Drain, endpoint);
        while (member.InFlight > 0)
        {
            var wait = new Wait();
            wait.Arm(_clock.Time, DrainLook, cancellationToken);
            await wait.Task.ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
            if (member.Health.State.Status is not (EndpointHealthStatus.Draining or EndpointHealthStatus.ForcedDown))
                throw new InvalidOperationException($"Pool '{Name}': endpoint '{endpoint}' was brought up before it was drained.");
        }
        if (Events.AreWatched)
            Events.Publish(new EndpointDrained { Pool = Name, At = Events.Now, Endpoint = endpoint });
    }

    /// <summary>The endpoint takes no more from now on, until it is brought up again. What is in flight on it goes on.</summary>
    /// <param name="endpoint">Its name.</param>
    /// <returns>Completes when no call will choose it any more.</returns>
    /// <exception cref="ArgumentException">The pool has no endpoint of this name.</exception>
    public ValueTask ForceDownAsync(string endpoint)
    {
        Order(PoolOrder.ForceDown, HealthOrder.ForceDown, endpoint);
        return default;
    }

    /// <summary>The endpoint comes back, on a ramp, whether it was taken out by an operator or by its faults; its key and quota are taken for good again.</summary>
    /// <param name="endpoint">Its name.</param>
    /// <returns>Completes when calls may choose it.</returns>
    /// <exception cref="ArgumentException">The pool has no endpoint of this name.</exception>
    public ValueTask BringUpAsync(string endpoint)
    {
        Order(PoolOrder.BringUp, HealthOrder.BringUp, endpoint);
        return default;
    }

    /// <summary>Uses the given tier first from now on; those after it follow, those before it come last.</summary>
    /// <param name="tier">The tier.</param>
    /// <returns>Completes when new choices follow the new order.</returns>
    /// <exception cref="ArgumentException">The pool has no endpoint in this tier.</exception>
    public ValueTask PromoteAsync(int tier)
    {
        lock (_membership)
        {
            var members = _engine.Snapshot.Members;
            if (!Array.Exists(members, m => m.Endpoint.Tier == tier))
                throw new ArgumentException($"Pool '{Name}' has no endpoint in tier {tier}.", nameof(tier));
            _engine.Snapshot = new PoolSnapshot(members, tier);
        }
        Publish(PoolOrder.Promote, null, tier);
        return default;
    }

    /// <summary>Takes back a promotion: the lowest tier is used first again.</summary>
    /// <returns>Completes when new choices follow the usual order.</returns>
    public ValueTask FailBackAsync()
    {
        int lowest;
        lock (_membership)
        {
            var members = _engine.Snapshot.Members;
            lowest = members.Min(m => m.Endpoint.Tier);
            _engine.Snapshot = new PoolSnapshot(members, firstTier: 0);
        }
        Publish(PoolOrder.FailBack, null, lowest);
        return default;
    }

    private EndpointState Order(PoolOrder order, HealthOrder toHealth, string endpoint)
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        var member = Array.Find(_engine.Snapshot.Members, m => string.Equals(m.Endpoint.Name, endpoint, StringComparison.Ordinal))
            ?? throw new ArgumentException($"Pool '{Name}' has no endpoint '{endpoint}'.", nameof(endpoint));
        Publish(order, endpoint, null);
        member.Health.Order(toHealth, _clock.Now);
        return member;
    }

    private void Publish(PoolOrder order, string? endpoint, int? tier)
    {
        PoolLog.Ordered(_log, Name, order.ToString(), endpoint ?? $"tier {tier}");
        if (Events.AreWatched)
            Events.Publish(new OrderGiven { Pool = Name, At = Events.Now, Order = order, Endpoint = endpoint, Tier = tier });
    }
}
