using HaKit.Attempts;
using HaKit.Health;
using HaKit.Limits;

namespace HaKit.Pool;

/// <summary>Carries out what an operator orders. Each order is an event too. Thread-safe.</summary>
internal sealed class PoolOrders(string pool, PoolClock clock, CurrentSnapshot snapshot, PoolMembers members, PoolJournal journal)
{
    private static readonly TimeSpan DrainCheckPeriod = TimeSpan.FromMilliseconds(100);

    /// <exception cref="ArgumentException">The pool has no endpoint of this name.</exception>
    /// <exception cref="InvalidOperationException">The endpoint was brought up again before it was empty.</exception>
    public async ValueTask DrainAsync(string endpoint, CancellationToken cancellationToken)
    {
        var member = Order(PoolOrder.Drain, HealthOrder.Drain, endpoint);
        while (member.InFlight > 0)
        {
            var wait = new Wait();
            wait.Arm(clock.Time, DrainCheckPeriod, cancellationToken);
            await wait.Task.ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
            if (member.Health.State.Status is not (EndpointHealthStatus.Draining or EndpointHealthStatus.ForcedDown))
                throw new InvalidOperationException($"Pool '{pool}': endpoint '{endpoint}' was brought up before it was drained.");
        }
        journal.RecordDrained(endpoint);
    }

    /// <exception cref="ArgumentException">The pool has no endpoint of this name.</exception>
    public ValueTask ForceDownAsync(string endpoint)
    {
        Order(PoolOrder.ForceDown, HealthOrder.ForceDown, endpoint);
        return default;
    }

    /// <exception cref="ArgumentException">The pool has no endpoint of this name.</exception>
    public ValueTask BringUpAsync(string endpoint)
    {
        Order(PoolOrder.BringUp, HealthOrder.BringUp, endpoint);
        return default;
    }

    /// <exception cref="ArgumentException">The pool has no endpoint in this tier.</exception>
    public ValueTask PromoteAsync(int tier)
    {
        if (members.UseFirstTier(tier) is null)
            throw new ArgumentException($"Pool '{pool}' has no endpoint in tier {tier}.", nameof(tier));
        journal.RecordOrder(PoolOrder.Promote, null, tier);
        return default;
    }

    public ValueTask FailBackAsync()
    {
        journal.RecordOrder(PoolOrder.FailBack, null, members.UseFirstTier(null));
        return default;
    }

    private EndpointState Order(PoolOrder order, HealthOrder toHealth, string endpoint)
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        var member = Array.Find(snapshot.Value.Members, m => string.Equals(m.Endpoint.Name, endpoint, StringComparison.Ordinal))
            ?? throw new ArgumentException($"Pool '{pool}' has no endpoint '{endpoint}'.", nameof(endpoint));
        journal.RecordOrder(order, endpoint, null);
        member.Health.Order(toHealth, clock.Now);
        return member;
    }
}
