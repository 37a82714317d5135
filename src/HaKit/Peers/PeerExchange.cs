using HaKit.Attempts;
using HaKit.Faults;
using HaKit.Health;

namespace HaKit.Peers;

/// <summary>
/// Exchanges facts between a pool and the other replicas in the background. A served call never uses this class. A change of an endpoint's health takes the
/// lock of this class for a few microseconds. A timer publishes at most one message a second. Thread-safe.
/// </summary>
internal sealed class PeerExchange : IDisposable
{
    private static readonly TimeSpan ForgetEvery = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private readonly IPeerPool _pool;
    private readonly PoolClock _clock;
    private readonly PeerScope _scope;
    private readonly PeerDomains _domains;
    private readonly GuardedLink? _link;
    private readonly MessagePace? _pace;
    private readonly PeerBook _book = new();
    private readonly OwnFacts _own = new();
    private readonly FactWriter _writer;
    private readonly PeerMembers _members;
    private readonly PeerOrders _orders;
    private readonly PeerEjections _ejections;
    private readonly PeerUsage _usage;
    private readonly PeerLeader? _leader;
    private readonly TaskCompletionSource _warm = new();
    private readonly ITimer _warmTimer;
    private readonly RefusedOrders _refused = new();
    private volatile bool _isWarm;
    private TimeSpan _forgot;
    private bool? _wasConnected;
    private bool _isStopped;

    public PeerExchange(IPeerPool pool, PoolClock clock, Chance chance, PeerScope scope, Func<PeerScope, IPeerLink?>? link)
    {
        (_pool, _clock, _scope) = (pool, clock, scope);
        var sharing = pool.Sharing;
        var place = $"{scope.Name}/{scope.Pool}";
        _domains = new PeerDomains(sharing.OrderKey ?? place);
        _usage = new PeerUsage(_domains);
        _members = new PeerMembers(pool);
        _writer = new FactWriter(pool, _domains, _own, scope.Replica);
        _book.RecordStart(scope.Replica, clock.Now);
        _orders = new PeerOrders(pool, _book, _own, _members, scope.Replica, sharing.OrderKey is { } key ? new OrderSignature(key, place) : null);
        _ejections = new PeerEjections(pool, _book, _members, _domains, _gate);
        try
        {
            // A timer completes the warm-up, because the application's start-up continues on the thread that completes it. The start-up must not run inside the
            // link's listener, because it would block the link.
            _warmTimer = clock.Time.NewTimer(static warm => ((TaskCompletionSource)warm!).TrySetResult(), _warm);
            if (link?.Invoke(scope) is not { } made)
                return;
            _link = new GuardedLink(made);
            _leader = new PeerLeader(_link, clock);
            _pace = new MessagePace(clock, PublishDue);
            _pace.Start(chance, clock.Now);
        }
        catch
        {
            // The clock and the link are the application's code and may throw. Without this exchange, the pool does not know the link.
            Parts().TryDispose();
            throw;
        }
    }

    public string Replica => _scope.Replica;

    public PeerLinkStatus? Link => _link?.Status;

    public int Replicas
    {
        get
        {
            lock (_gate)
            {
                RemoveExpiredWhileLocked(_clock.Now);
                return _book.Replicas + 1;
            }
        }
    }

    /// <summary>Starts to listen. This is separate from the constructor, because received facts change the pool.</summary>
    public void Start() => _link?.Start(ReceiveNews);

    /// <summary>Waits until the pool has received the facts of the other replicas, or until the time is over. True if they were received.</summary>
    public async ValueTask<bool> WarmUpAsync(TimeSpan atMost, CancellationToken cancellationToken)
    {
        if (_isWarm || _link is null || atMost <= TimeSpan.Zero)
            return _isWarm;
        var timeout = new TaskCompletionSource();
        using var timer = _clock.Time.CreateTimer(static source => ((TaskCompletionSource)source!).TrySetResult(), timeout, atMost, Timeout.InfiniteTimeSpan);
        using var cancelled = cancellationToken.UnsafeRegister(static source => ((TaskCompletionSource)source!).TrySetResult(), timeout);
        await Task.WhenAny(_warm.Task, timeout.Task).ConfigureAwait(false);
        return _isWarm;
    }

    /// <summary>Checks whether this replica may send probes that cost money. Without a working link, each replica may send such probes.</summary>
    public bool MaySendCostlyProbe() => _leader is null || !_pool.Sharing.Probes || _leader.Leads(_link!.Status.IsConnected);

    /// <summary>Publishes this replica's own evidence when the health of an endpoint has changed.</summary>
    public void OnHealthChanged(in HealthChange change, TimeSpan now)
    {
        if (_link is null || change.Evidence.IsFromPeer || change.Evidence.IsShared)
            return;
        var changed = change.Endpoint;
        if (Array.Find(_pool.Members, m => m.Health == changed) is not { } member)
            return;
        lock (_gate)
        {
            _writer.AddChange(in change, member, now);
            if (_own.AreWaiting || change.Before.IsInService != change.After.IsInService)
                PublishSoon(now);
        }
    }

    /// <summary>Publishes an order that an operator gave to this replica.</summary>
    public void PublishOrder(PoolOrder order, string? endpoint, int? tier, OrderNote note)
    {
        if (!_orders.AreShared)
            return;
        var now = _clock.Now;
        lock (_gate)
        {
            _orders.AddOwn(order, endpoint, tier, note, _clock.Time.GetUtcNow(), now);
            PublishSoon(now);
        }
    }

    /// <summary>Applies the facts of other replicas. Facts of this replica, of unknown kinds and about unknown endpoints are ignored.</summary>
    public void ReceiveNews(PeerNews news)
    {
        var now = _clock.Now;
        var touched = new HashSet<EndpointState>();
        var hearing = new PeerHearing(_pool, _domains);
        lock (_gate)
            RemoveExpiredWhileLocked(now);
        foreach (var fact in news.Facts)
        {
            if (PeerHearing.IsCredible(fact))
                ReceiveFact(fact, news.IsComplete, hearing, touched, now);
        }

        if (news.IsComplete)
        {
            lock (_gate)
            {
                _own.AddMissing(news.Facts, now);
                if (_own.AreWaiting)
                    PublishSoon(now);
            }
            _isWarm = true;
            _warmTimer.Change(TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        }
        foreach (var member in touched)
            _ejections.DecideByMajority(member, now);
    }

    /// <summary>Publishes the last facts (<see cref="FactWriter.TakeLast"/>), and stops.</summary>
    public void Dispose()
    {
        PeerFact[] last;
        lock (_gate)
        {
            last = _link is null || _isStopped ? [] : _writer.TakeLast(_members.GetAll(), _clock.Now);
            _isStopped = true;
        }
        if (last.Length > 0)
            _link!.Publish(last);
        Parts().Dispose();
    }

    private DisposableParts Parts()
    {
        var parts = new DisposableParts();
        parts.Add(_link);
        parts.Add(_pace);
        parts.Add(_warmTimer);
        return parts;
    }

    /// <summary>Gets the opinions of all replicas and the status of the link.</summary>
    public FleetStatus Status()
    {
        var now = _clock.Now;
        var at = _clock.Time.GetUtcNow();
        lock (_gate)
        {
            RemoveExpiredWhileLocked(now);
            return FleetStatusReader.Read(Replica, Link, _book, _members.GetAll(), m => _domains.Fingerprint(m.State, _pool.AttemptLimits), now, at);
        }
    }

    /// <summary>Executes the orders that arrived before their endpoint, or the first endpoint of their tier, was added.</summary>
    public void ExecuteDueOrders()
    {
        List<PeerFact> orders;
        lock (_gate)
        {
            if (_isStopped)
                return;
            orders = _orders.TakeDue(_members.GetAll(), _clock.Now);
        }
        orders.ForEach(Execute);
    }

    private void ReceiveFact(PeerFact fact, bool isFromStore, PeerHearing hearing, HashSet<EndpointState> touched, TimeSpan now)
    {
        if (fact.Kind == PeerFactKind.Order)
        {
            ReceiveOrder(fact, isFromStore, now);
            return;
        }
        if (fact.Replica == Replica || !hearing.IsWanted(fact.Kind))
            return;
        if (fact.Kind == PeerFactKind.Usage)
        {
            lock (_gate)
            {
                if (_usage.TryRecordUsage(fact, _pool.Members, now))
                    _book.RecordReplica(fact, now);
            }
            return;
        }
        var targets = hearing.TargetsOf(fact);
        if (targets.Count == 0)
            return;
        bool isNews;
        lock (_gate)
            isNews = fact.Kind == PeerFactKind.Opinion ? _book.TryAddOpinion(fact, now) : _book.TryAddOnce(fact, now, _pool.Members.Length);
        if (!isNews)
            return;
        if (fact.Kind == PeerFactKind.Opinion)
            touched.UnionWith(targets);
        else
            hearing.ApplyFact(fact, targets, now);
    }

    private void ReceiveOrder(PeerFact fact, bool isFromStore, TimeSpan now)
    {
        if (!_orders.AreShared || fact.Order is null)
            return;
        if (!_orders.IsValid(fact))
        {
            bool isNews;
            lock (_gate)
                isNews = _refused.TryAdd(fact);
            if (isNews)
                _pool.ReportRefusedOrder(RefusedOrders.ShownName(fact.Replica));
            return;
        }
        PeerFact? before;
        lock (_gate)
        {
            if (!_orders.TryReceive(fact, !isFromStore, now, out before))
            {
                if (_own.AreWaiting)
                    PublishSoon(now);
                return;
            }
        }
        if (fact.Replica == Replica)
            return;
        Execute(fact);
        if (before?.Replica == Replica && (before.Order!.Order, before.Order.Tier) != (fact.Order.Order, fact.Order.Tier))
            _pool.ReportOverruled(before, fact);
    }

    private void Execute(PeerFact order)
    {
        if (_pool.ExecuteOrder(order))
            return;
        lock (_gate)
            _orders.MarkNotExecuted(order);
    }

    // Runs once a second: it updates the opinions, checks whether a majority has formed or ended, and publishes all waiting facts in one message.
    private void PublishDue()
    {
        var now = _clock.Now;
        PeerFact[] facts;
        List<PeerMember> members;
        List<PeerFact> orders;
        lock (_gate)
        {
            if (_isStopped)
                return;
            members = _members.GetAll();
            orders = _orders.TakeDue(members, now);
            if (_pool.Sharing.Opinions)
                _writer.AddOpinions(members, _book.Replicas + 1, now);
            ShareUsage(now);
            facts = _own.DequeueWaiting(now);
            if (facts.Length > 0)
                _pace!.RecordMessage(now);
            RemoveExpiredWhileLocked(now);
            _pace!.WaitForNext(now);
        }
        if (facts.Length > 0)
            _link!.Publish(facts);
        WatchLink();
        _leader!.RenewIfDue();
        orders.ForEach(Execute);
        foreach (var member in members)
            _ejections.DecideByMajority(member.State, now);
    }

    // A pool without a link has no timer for its facts. So this method is also called when facts arrive and when replicas are counted.
    private void RemoveExpiredWhileLocked(TimeSpan now)
    {
        if (now - _forgot < ForgetEvery)
            return;
        _forgot = now;
        _own.RemoveExpired(now);
        _usage.RemoveExpired(now);
        var known = _pool.Members;
        _book.RemoveExpired(now, name => Array.Exists(known, m => m.Endpoint.Name == name));
    }

    private void ShareUsage(TimeSpan now)
    {
        if (!_pool.Sharing.Usage)
        {
            _usage.Release();
            return;
        }
        _usage.AddFacts(_pool.Members, Replica, _book.Replicas + 1, _own, now);
        _usage.Apply(_link!.Status.IsConnected, _book.Replicas + 1, now);
    }

    private void WatchLink()
    {
        var status = _link!.Status;
        if (status.IsConnected == _wasConnected)
            return;
        _wasConnected = status.IsConnected;
        _pool.ReportLink(status);
    }

    // The caller must hold the lock.
    private void PublishSoon(TimeSpan now)
    {
        if (!_isStopped)
            _pace?.SendSoon(now);
    }
}
