using HaKit.Attempts;
using HaKit.Health;
using HaKit.Limits;
using HaKit.Peers;

namespace HaKit.Pool;

/// <summary>Executes the orders of operators. Each order is also reported as an event. Thread-safe.</summary>
internal sealed class PoolOrders(string pool, PoolClock clock, CurrentSnapshot snapshot, PoolMembers members, PoolJournal journal, PoolPeers peers)
{
    private static readonly TimeSpan DrainCheckPeriod = TimeSpan.FromMilliseconds(100);

    /// <exception cref="ArgumentException">The pool has no endpoint of this name.</exception>
    /// <exception cref="InvalidOperationException">The endpoint was brought up again before its last attempt ended.</exception>
    public async ValueTask DrainAsync(string endpoint, OrderNote? note, CancellationToken cancellationToken)
    {
        var member = Order(PoolOrder.Drain, HealthOrder.Drain, endpoint, note);
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
    public ValueTask ForceDownAsync(string endpoint, OrderNote? note)
    {
        Order(PoolOrder.ForceDown, HealthOrder.ForceDown, endpoint, note);
        return default;
    }

    /// <exception cref="ArgumentException">The pool has no endpoint of this name.</exception>
    public ValueTask BringUpAsync(string endpoint, OrderNote? note)
    {
        Order(PoolOrder.BringUp, HealthOrder.BringUp, endpoint, note);
        return default;
    }

    /// <exception cref="ArgumentException">The pool has no endpoint in this tier.</exception>
    public ValueTask PromoteAsync(int tier, OrderNote? note)
    {
        if (members.UseFirstTier(tier) is null)
            throw new ArgumentException($"Pool '{pool}' has no endpoint in tier {tier}.", nameof(tier));
        Record(PoolOrder.Promote, null, tier, note);
        return default;
    }

    public ValueTask FailBackAsync(OrderNote? note)
    {
        Record(PoolOrder.FailBack, null, members.UseFirstTier(null), note);
        return default;
    }

    private EndpointState Order(PoolOrder order, HealthOrder toHealth, string endpoint, OrderNote? note)
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        var member = Array.Find(snapshot.Value.Members, m => string.Equals(m.Endpoint.Name, endpoint, StringComparison.Ordinal))
            ?? throw new ArgumentException($"Pool '{pool}' has no endpoint '{endpoint}'.", nameof(endpoint));
        Record(order, endpoint, null, note);
        member.Health.Order(toHealth, clock.Now);
        return member;
    }

    private void Record(PoolOrder order, string? endpoint, int? tier, OrderNote? given)
    {
        var note = (given ?? OrderNote.None).Shortened();
        peers.Share(order, endpoint, order == PoolOrder.Promote ? tier : null, note);
        journal.RecordOrder(order, endpoint, tier, note);
    }
}
