using HaKit.Attempts;
using HaKit.Health;
using HaKit.Limits;
using HaKit.Peers;

namespace HaKit.Pool;

/// <summary>Executes the orders of operators. Each order is also reported as an event. Thread-safe.</summary>
internal sealed class PoolOrders(string pool, PoolClock clock, CurrentSnapshot snapshot, PoolMembers members, PoolJournal journal, PoolPeers peers)
{
    private static readonly TimeSpan DrainCheckPeriod = TimeSpan.FromMilliseconds(100);

    private readonly Lock _gate = new();
    private readonly Dictionary<EndpointState, List<Wait>> _drains = [];

    /// <exception cref="ArgumentException">The pool has no endpoint of this name.</exception>
    /// <exception cref="InvalidOperationException">The endpoint was brought up again before its last attempt ended.</exception>
    public async ValueTask DrainAsync(string endpoint, OrderNote? note, CancellationToken cancellationToken)
    {
        var member = Order(PoolOrder.Drain, HealthOrder.Drain, endpoint, note);
        if (member.InFlight == 0)
        {
            journal.RecordDrained(endpoint);
            return;
        }
        // The order stays in force if the caller stops waiting, so the event must not depend on the caller.
        var wait = new Wait();
        wait.Arm(clock.Time, null, cancellationToken);
        if (AddToDrain(member, wait))
            _ = WatchDrainAsync(member);
        switch (await wait.Task.ConfigureAwait(false))
        {
            case WaitResult.Cancelled:
                throw new OperationCanceledException(cancellationToken);
            case WaitResult.Due:
                throw new InvalidOperationException($"Pool '{pool}': endpoint '{endpoint}' was brought up before it was drained.");
        }
    }

    // True if this is the first order that waits for the endpoint.
    private bool AddToDrain(EndpointState member, Wait wait)
    {
        lock (_gate)
        {
            if (_drains.TryGetValue(member, out var waits))
            {
                waits.Add(wait);
                return false;
            }
            _drains.Add(member, [wait]);
            return true;
        }
    }

    // Waits until nothing is in flight at the endpoint (Released) or until it was brought up before that (Due), and gives this result to all callers.
    private async Task WatchDrainAsync(EndpointState member)
    {
        bool isOut;
        do
        {
            var pause = new Wait();
            pause.Arm(clock.Time, DrainCheckPeriod, CancellationToken.None);
            await pause.Task.ConfigureAwait(false);
            isOut = member.Health.State.Status is EndpointHealthStatus.Draining or EndpointHealthStatus.ForcedDown;
        }
        while (isOut && member.InFlight > 0);
        List<Wait> waits;
        lock (_gate)
            _drains.Remove(member, out waits!);
        if (isOut)
            journal.RecordDrained(member.Endpoint.Name);
        foreach (var wait in waits)
        {
            if (wait.TryClaim())
                wait.Finish(isOut ? WaitResult.Released : WaitResult.Due);
        }
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
            throw new ArgumentException($"Pool '{pool}' has no endpoint in tier {tier}. It has endpoints in these tiers: {string.Join(", ", snapshot.Value.Members.Select(static m => m.Endpoint.Tier).Distinct().Order())}.", nameof(tier));
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
            ?? throw new ArgumentException($"Pool '{pool}' has no endpoint '{endpoint}'. It has '{string.Join("', '", snapshot.Value.Members.Take(10).Select(static m => m.Endpoint.Name))}'.", nameof(endpoint));
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
