using HaKit.Attempts;
using HaKit.Failover;
using HaKit.Health;
using HaKit.Peers;

namespace HaKit.Pool;

/// <summary>Shares facts with the other replicas of the application, and applies the facts of these replicas. Thread-safe.</summary>
internal sealed class PoolPeers : IPeerPool, IDisposable
{
    private readonly PoolClock _clock;
    private readonly CurrentOptions _options;
    private readonly CurrentSnapshot _snapshot;
    private readonly PoolMembers _members;
    private readonly PoolJournal _journal;
    private readonly FailoverEngine _engine;
    private readonly PoolHeartbeats _heartbeats;
    private readonly PeerExchange _exchange;

    public PoolPeers(
        string pool, PoolClock clock, CurrentOptions options, CurrentSnapshot snapshot, PoolMembers members, PoolJournal journal, FailoverEngine engine,
        PoolHeartbeats heartbeats, Func<PeerScope, IPeerLink?>? link)
    {
        (_clock, _options, _snapshot, _members, _journal, _engine, _heartbeats) = (clock, options, snapshot, members, journal, engine, heartbeats);
        // The exchange with other replicas has its own random source, so that it does not change the random numbers of calls.
        var chance = new Chance(options.Value.Seed is { } seed ? (ulong)seed ^ 0xA5A5A5A5A5A5A5A5 : null);
        // Processes of one configuration may have the same seed, but each needs a name of its own. In virtual time the name follows the seed, so that a simulation
        // can be repeated.
        var suffix = (clock.Time == TimeProvider.System ? new Chance(null) : chance).Next() >> 32;
        var replica = FormattableString.Invariant($"{options.Value.Sharing.Replica ?? Environment.MachineName}-{suffix:x8}");
        _exchange = new PeerExchange(this, clock, chance, new PeerScope { Name = options.Value.Sharing.Name, Pool = pool, Replica = replica, Time = clock.Time }, link);
        heartbeats.AllowCostlyProbesIf(_exchange.MaySendCostlyProbe);
    }

    /// <summary>Gets the status of the link. Null: there is no link.</summary>
    public PeerLinkStatus? Link => _exchange.Link;

    /// <summary>Gets the number of replicas that were active lately, including this replica.</summary>
    public int Replicas => _exchange.Replicas;

    EndpointState[] IPeerPool.Members => _snapshot.Value.Members;

    SharingOptions IPeerPool.Sharing => _options.Value.Sharing;

    EndpointPoolLimits IPeerPool.AttemptLimits =>
        new(_options.Value.AttemptTimeout?.Timeout, _options.Value.FirstContent.Timeout, _options.Value.ConnectTimeout);

    /// <summary>Starts to listen. The pool must be complete, because facts from other replicas change the pool.</summary>
    public void Start() => _exchange.Start();

    public void ReceiveFact(PeerFact fact) => _exchange.ReceiveNews(new PeerNews([fact], IsComplete: false));

    public FleetStatus Status() => _exchange.Status();

    /// <summary>Executes the orders that waited for an endpoint or a tier.</summary>
    public void UseMembers() => _exchange.ExecuteDueOrders();

    public ValueTask<bool> WarmUpAsync(CancellationToken cancellationToken) => _exchange.WarmUpAsync(_options.Value.Sharing.WarmStart, cancellationToken);

    public void Share(PoolOrder order, string? endpoint, int? tier, OrderNote note) => _exchange.PublishOrder(order, endpoint, tier, note);

    public void OnHealthChanged(HealthChange change) => _exchange.OnHealthChanged(change, _clock.Now);

    public void Dispose() => _exchange.Dispose();

    void IPeerPool.ReleaseWaiter() => _engine.Queue.Release(1);

    bool IPeerPool.ProbeNow(EndpointState member) => _heartbeats.ProbeNow(member);

    bool IPeerPool.ExecuteOrder(PeerFact fact)
    {
        var order = fact.Order!.Order;
        if (order is PoolOrder.Promote or PoolOrder.FailBack)
        {
            var tier = order == PoolOrder.Promote ? fact.Order.Tier : null;
            if (fact.Subject.Length > 0 || order == PoolOrder.Promote && tier is null)
                return true; // the order makes no sense, now and later
            if (_members.UseFirstTier(tier) is null)
                return false;
        }
        else
        {
            // This replica does not have the endpoint yet: the order is kept, and carried out when the endpoint is added.
            if (Array.Find(_snapshot.Value.Members, m => m.Endpoint.Name == fact.Subject) is not { } member)
                return true;
            member.Health.Order(ToHealth(order), _clock.Now, isFromPeer: true);
        }
        _journal.RecordOrderElsewhere(fact);
        return true;
    }

    void IPeerPool.ReportOverruled(PeerFact order, PeerFact by) => _journal.RecordOverruled(order, by);

    void IPeerPool.ReportRefusedOrder(string replica) => _journal.RecordRefusedOrder(replica);

    void IPeerPool.ReportLink(PeerLinkStatus status) => _journal.RecordLink(status);

    private static HealthOrder ToHealth(PoolOrder order) => order switch
    {
        PoolOrder.Drain => HealthOrder.Drain,
        PoolOrder.ForceDown => HealthOrder.ForceDown,
        _ => HealthOrder.BringUp,
    };
}
