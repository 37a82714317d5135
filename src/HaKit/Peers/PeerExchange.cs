using HaKit.Attempts;
using HaKit.Faults;
using HaKit.Health;

namespace HaKit.Peers;

/// <summary>
/// Exchanges facts between a pool and the other replicas, beside the calls: a served call never comes here, a change of an endpoint's health costs a lock of
/// a few microseconds, and a timer publishes at most one message a second. Thread-safe.
/// </summary>
internal sealed class PeerExchange : IDisposable
{
    private static readonly TimeSpan MessagesEvery = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan RepeatedEvery = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan ForgetEvery = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan ShortLived = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan OrdersLast = TimeSpan.FromDays(90);

    // If there are more replicas than this, each publishes less often, so that all messages together stay at twenty a second.
    private const int ManyReplicas = 200;

    private readonly Lock _gate = new();
    private readonly IPeerPool _pool;
    private readonly PoolClock _clock;
    private readonly PeerScope _scope;
    private readonly PeerDomains _domains;
    private readonly IPeerLink? _link;
    private readonly ITimer? _timer;
    private readonly PeerBook _book = new();
    private readonly OwnFacts _own = new();
    private readonly PeerUsage _usage;
    private readonly PeerLeader? _leader;
    private readonly TaskCompletionSource _warm = new();
    private readonly Dictionary<string, PeerMember> _members = new(StringComparer.Ordinal);
    private readonly List<FreshOpinion> _opinions = [];
    private readonly OrderSignature? _signature;
    private TimeSpan _spoke = TimeSpan.MinValue / 2;
    private TimeSpan _due;
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
        _signature = sharing.OrderKey is { } key ? new OrderSignature(key, place) : null;
        _link = link?.Invoke(scope);
        if (_link is null)
            return;
        _leader = new PeerLeader(_link, clock);
        using (ExecutionContext.IsFlowSuppressed() ? default(AsyncFlowControl?) : ExecutionContext.SuppressFlow())
            _timer = clock.Time.CreateTimer(static exchange => ((PeerExchange)exchange!).Speak(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        // Replicas that start together do not publish at the same time.
        _due = clock.Now + MessagesEvery * chance.NextDouble();
        _timer.Change(_due - clock.Now, Timeout.InfiniteTimeSpan);
    }

    public string Replica => _scope.Replica;

    public PeerLinkStatus? Link => _link?.Status;

    public int Replicas
    {
        get
        {
            lock (_gate)
                return _book.Replicas + 1;
        }
    }

    public bool SharesOrders => _signature is not null && _pool.Sharing.Orders;

    /// <summary>Starts to listen. This is separate from the constructor, because what is heard changes the pool.</summary>
    public void Start() => _link?.Start(ReceiveNews);

    /// <summary>Waits until the pool has received what the other replicas know, or until the time is over. True: it was received.</summary>
    public async ValueTask<bool> WarmUpAsync(TimeSpan atMost, CancellationToken cancellationToken)
    {
        if (_link is null || atMost <= TimeSpan.Zero)
            return _warm.Task.IsCompleted;
        var timeout = new TaskCompletionSource();
        using var timer = _clock.Time.CreateTimer(static source => ((TaskCompletionSource)source!).TrySetResult(), timeout, atMost, Timeout.InfiniteTimeSpan);
        using var cancelled = cancellationToken.UnsafeRegister(static source => ((TaskCompletionSource)source!).TrySetResult(), timeout);
        await Task.WhenAny(_warm.Task, timeout.Task).ConfigureAwait(false);
        return _warm.Task.IsCompleted;
    }

    /// <summary>Checks whether this replica may send probes that cost money. Without a working link, each replica may.</summary>
    public bool MayAskCostlyProbe() => _leader is null || !_pool.Sharing.Probes || _leader.Leads(_link!.Status.IsConnected);

    /// <summary>Publishes this replica's own evidence when the health of an endpoint has changed.</summary>
    public void OnHealthChanged(in HealthChange change, TimeSpan now)
    {
        if (_link is null || change.Evidence.IsFromPeer || change.Evidence.IsShared)
            return;
        var changed = change.Endpoint;
        if (Array.Find(_pool.Members, m => m.Health == changed) is not { } member)
            return;
        var sharing = _pool.Sharing;
        var (before, after, evidence) = (change.Before, change.After, change.Evidence);
        var isOwn = evidence.Source is EvidenceSource.Traffic or EvidenceSource.Probe;
        lock (_gate)
        {
            if (sharing.Cooldowns && isOwn && evidence.Fault is { } said && said.SaysWhen() && !ReferenceEquals(before.Cooldown, after.Cooldown) && after.Cooldown is { } cooldown)
                AddCooldown(member, said, cooldown, now);
            if (evidence.Source == EvidenceSource.TrialBegun && before.Status == EndpointHealthStatus.Ejected && sharing.Trials)
                Add(PeerFactKind.TrialBegun, member, ShortLived, now, after.Cause);
            if (before.Status == EndpointHealthStatus.Trial && after.Status == EndpointHealthStatus.Ejected && (isOwn || evidence.Source == EvidenceSource.Time) && evidence.Fault?.IsNeutral != true)
            {
                if (sharing.Trials)
                    Add(PeerFactKind.TrialFailed, member, ShortLived, now, after.Cause);
            }
            else if (after.IsInService && before.Status is EndpointHealthStatus.Ejected or EndpointHealthStatus.Trial && isOwn && after.Status == EndpointHealthStatus.SlowStart && sharing.Recoveries)
            {
                Add(PeerFactKind.Recovered, member, ShortLived, now, null);
            }

            if (_own.AreWaiting || before.IsInService != after.IsInService)
                SpeakSoonWhileLocked(now);
        }
    }

    /// <summary>Publishes an order that an operator gave to this replica.</summary>
    public void Ordered(PoolOrder order, string? endpoint, int? tier, OrderNote note)
    {
        if (!SharesOrders)
            return;
        var now = _clock.Now;
        lock (_gate)
        {
            var fact = new PeerFact
            {
                Kind = PeerFactKind.Order,
                Subject = endpoint ?? "",
                Replica = Replica,
                Version = _book.HighestVersion(endpoint ?? "") + 1,
                Length = OrdersLast,
                Left = OrdersLast,
                Order = new SignedOrder(order, tier, note.By, note.Reason, _clock.Time.GetUtcNow(), ""),
            };
            fact = fact with { Order = fact.Order with { Signature = _signature!.Sign(fact) } };
            _book.TryHearOrder(fact, now, out _);
            if (endpoint is not null && _members.TryGetValue(endpoint, out var member))
                member.OrderVersion = fact.Version;
            _own.Add(fact, now + OrdersLast, now);
            SpeakSoonWhileLocked(now);
        }
    }

    /// <summary>Applies what other replicas say. Facts of this replica, of unknown kinds and about unknown endpoints are ignored.</summary>
    public void ReceiveNews(PeerNews news)
    {
        var now = _clock.Now;
        var touched = new HashSet<EndpointState>();
        var hearing = new PeerHearing(_pool, _domains);
        foreach (var fact in news.Facts)
        {
            if (PeerHearing.IsCredible(fact))
                ReceiveFact(fact, hearing, touched, now);
        }

        if (news.IsComplete)
        {
            lock (_gate)
            {
                _own.AddMissing(news.Facts, now);
                if (_own.AreWaiting)
                    SpeakSoonWhileLocked(now);
            }
            _warm.TrySetResult();
        }
        foreach (var member in touched)
            DecideByMajority(member, now);
    }

    public void Dispose()
    {
        lock (_gate)
            _isStopped = true;
        _timer?.Dispose();
        _link?.Dispose();
    }

    /// <summary>Gets the opinions of all replicas and the status of the link.</summary>
    public FleetStatus Status()
    {
        var now = _clock.Now;
        var at = _clock.Time.GetUtcNow();
        lock (_gate)
        {
            var views = new Dictionary<string, List<ReplicaView>>(StringComparer.Ordinal) { [Replica] = [] };
            foreach (var replica in _book.ReplicaNames)
                views.TryAdd(replica, []);
            foreach (var member in MembersWhileLocked(now))
            {
                var (own, name) = (member.UpdateOwnOpinion(now), member.State.Endpoint.Name);
                if (own.Opinion != PeerOpinion.None)
                    views[Replica].Add(new ReplicaView(name, own.Opinion, own.Fault, at - (now - own.At), true));
                var fingerprint = FingerprintOf(member.State);
                foreach (var heard in _book.Opinions(name, now))
                {
                    if (heard.Opinion != PeerOpinion.None && views.TryGetValue(heard.Replica, out var view))
                        view.Add(new ReplicaView(name, heard.Opinion, heard.Fault, at - (now - heard.Since), heard.Fingerprint == fingerprint));
                }
            }
            return new FleetStatus
            {
                Replica = Replica,
                Link = _link?.Status,
                Replicas = [.. views.OrderBy(static v => v.Key, StringComparer.Ordinal).Select(v => new ReplicaStatus(v.Key, v.Key == Replica, v.Value))],
                Orders = [.. _book.Orders.Select(static o => FleetOrder.FromFact(o.Fact)).OrderBy(static o => o.GivenAt)],
                OrderLog = [.. _book.OrderLog.Select(static o => FleetOrder.FromFact(o.Fact))],
            };
        }
    }

    private void ReceiveFact(PeerFact fact, PeerHearing hearing, HashSet<EndpointState> touched, TimeSpan now)
    {
        if (fact.Kind == PeerFactKind.Order)
        {
            ReceiveOrder(fact, now);
            return;
        }
        if (fact.Replica == Replica || !hearing.IsWanted(fact.Kind))
            return;
        if (fact.Kind == PeerFactKind.Usage)
        {
            lock (_gate)
                _usage.RecordUsage(fact, _pool.Members, now);
            return;
        }
        var targets = hearing.TargetsOf(fact);
        if (targets.Count == 0)
            return;
        bool isNews;
        lock (_gate)
            isNews = fact.Kind == PeerFactKind.Opinion ? _book.TryHearOpinion(fact, now) : _book.TryHearOnce(fact, now, _pool.Members.Length);
        if (!isNews)
            return;
        if (fact.Kind == PeerFactKind.Opinion)
            touched.UnionWith(targets);
        else
            hearing.Act(fact, targets, now);
    }

    private void ReceiveOrder(PeerFact fact, TimeSpan now)
    {
        if (!SharesOrders || fact.Order is null)
            return;
        if (!_signature!.IsValid(fact))
        {
            _pool.RefusedOrder(fact.Replica);
            return;
        }
        PeerFact? before;
        lock (_gate)
        {
            if (!_book.TryHearOrder(fact, now, out before))
            {
                // The replica that sent it does not know the later order.
                if (before is not null && PeerFactFormat.Identity(before) != PeerFactFormat.Identity(fact) && _book.OrderFor(fact.Subject, now) is { } held)
                {
                    _own.Add(held.Fact, held.Until, now);
                    SpeakSoonWhileLocked(now);
                }
                return;
            }
            _own.Hold(fact, now + fact.Left, now);
            if (_members.TryGetValue(fact.Subject, out var member))
                member.OrderVersion = fact.Version;
        }
        if (fact.Replica == Replica)
            return;
        _pool.CarryOut(fact);
        if (before?.Replica == Replica && before.Order!.Order != fact.Order.Order)
            _pool.Overruled(before, fact);
    }

    // Runs once a second: it updates the opinions, checks whether the majority has changed its mind, and publishes everything in one message.
    private void Speak()
    {
        var now = _clock.Now;
        PeerFact[] facts;
        List<PeerMember> members;
        var orders = new List<PeerFact>();
        lock (_gate)
        {
            if (_isStopped)
                return;
            members = MembersWhileLocked(now);
            foreach (var member in members)
            {
                if (_book.OrderFor(member.State.Endpoint.Name, now) is { } held && held.Fact.Version > member.OrderVersion)
                {
                    member.OrderVersion = held.Fact.Version;
                    orders.Add(held.Fact);
                }
            }
            if (_pool.Sharing.Opinions)
                AddOpinions(members, now);
            ShareUsage(now);
            facts = _own.DequeueWaiting(now);
            if (facts.Length > 0)
                _spoke = now;
            if (now - _forgot >= ForgetEvery)
            {
                _forgot = now;
                _own.RemoveExpired(now);
                _usage.RemoveExpired(now);
                _book.RemoveExpired(now, _members.ContainsKey);
            }
            _due = now + MessagesEvery;
            _timer!.Change(MessagesEvery, Timeout.InfiniteTimeSpan);
        }
        if (facts.Length > 0)
            _link!.Publish(facts);
        WatchLink();
        _leader!.RenewIfDue();
        orders.ForEach(_pool.CarryOut);
        foreach (var member in members)
            DecideByMajority(member.State, now);
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
        _pool.LinkChanged(status);
    }

    // Checks whether the majority has ejected the endpoint. The ejection is applied once, when the majority forms; then this replica's own trial decides.
    private void DecideByMajority(EndpointState state, TimeSpan now)
    {
        FaultKind cause;
        lock (_gate)
        {
            if (MemberWhileLocked(state) is not { } member)
                return;
            _opinions.Clear();
            _book.CollectOpinions(state.Endpoint.Name, FingerprintOf(state), now, _opinions, out var ejection);
            if (ejection.Replica is null)
            {
                (member.IsDealtWith, member.AskedAt) = (false, null);
                return;
            }
            var own = member.UpdateOwnOpinion(now);
            if (own.Opinion != PeerOpinion.None)
                _opinions.Add(new FreshOpinion(own.Opinion, own.Level));
            if (!PeerMajority.CountOpinions(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_opinions)).IsEjection)
            {
                (member.IsDealtWith, member.AskedAt) = (false, null);
                return;
            }
            if (member.IsDealtWith)
                return;
            cause = ejection.Fault ?? FaultKind.Unknown;
            if (!state.Health.State.IsInService || Refutes(member, ejection, now))
            {
                member.IsDealtWith = true;
                return;
            }
            if (WaitsForProbe(member, ejection, now))
                return;
        }
        var isLast = !Array.Exists(_pool.Members, other => other != state && other.Health.State.Admits(now) && PeerHearing.Covers(other.Endpoint, state.Endpoint));
        if (!isLast)
            state.Health.HearPeers(PeerWord.Ejected, new Fault(cause), now, default, isLast, now);
    }

    // A successful probe of this replica that tests what is said to be broken decides at once, so that no call has to.
    private static bool Refutes(PeerMember member, in HeardOpinion ejection, TimeSpan now) =>
        member.AskedAt is { } asked && member.State.Heartbeat is { Fault: null } hit && hit.At >= asked && hit.Level >= ejection.Level;

    private bool WaitsForProbe(PeerMember member, in HeardOpinion ejection, TimeSpan now)
    {
        if (member.AskedAt is { } asked)
            return now - asked < 2 * MessagesEvery && !(member.State.Heartbeat is { Fault: not null } miss && miss.At >= asked);
        if (member.State.Heartbeat?.Level < ejection.Level)
            return false;
        member.AskedAt = now;
        return _pool.AskNow(member.State);
    }

    private void AddCooldown(EndpointState member, Fault said, Cooldown cooldown, TimeSpan now)
    {
        var length = said.Wait() < PeerTransitions.LongestCooldown ? said.Wait() : PeerTransitions.LongestCooldown;
        var fact = new PeerFact
        {
            Kind = PeerFactKind.Cooldown,
            Subject = _domains.Subject(member, said.Reach),
            Replica = Replica,
            Version = _own.NextVersion(),
            Length = length,
            Fault = said.Kind,
            StatusCode = said.StatusCode,
            Reach = said.Reach,
        };
        _own.Add(fact, now + length < cooldown.Until ? now + length : cooldown.Until, now);
    }

    private void Add(PeerFactKind kind, EndpointState member, TimeSpan length, TimeSpan now, Fault? fault) => _own.Add(
        new PeerFact
        {
            Kind = kind,
            Subject = member.Endpoint.Name,
            Replica = Replica,
            Version = _own.NextVersion(),
            Length = length,
            Fingerprint = FingerprintOf(member),
            Fault = fault?.Kind,
        },
        now + length,
        now);

    // An opinion that changed is published at once. Unchanged opinions are published together, so that they need one message and leave room for urgent ones.
    private void AddOpinions(List<PeerMember> members, TimeSpan now)
    {
        var many = _book.Replicas + 1;
        var every = many > ManyReplicas ? TimeSpan.FromSeconds(many / 20.0) : RepeatedEvery;
        var isDue = members.Exists(m => m.UpdateOwnOpinion(now) is { Opinion: not PeerOpinion.None } own && now - m.PublishedAt >= every && own.At > m.PublishedAt);
        foreach (var member in members)
        {
            var own = member.UpdateOwnOpinion(now);
            var isNew = own.Opinion != member.Published;
            if (!isNew && (!isDue || own.Opinion == PeerOpinion.None || own.At <= member.PublishedAt))
                continue;
            if (isNew)
                member.Version = _own.NextVersion();
            (member.Published, member.PublishedAt) = (own.Opinion, now);
            var fact = new PeerFact
            {
                Kind = PeerFactKind.Opinion,
                Subject = member.State.Endpoint.Name,
                Replica = Replica,
                Version = member.Version,
                Length = OwnOpinion.Lifetime,
                Fingerprint = FingerprintOf(member.State),
                Opinion = own.Opinion,
                Level = own.Level,
                Fault = own.Fault,
            };
            _own.Add(fact, (own.Opinion == PeerOpinion.None ? now : own.At) + OwnOpinion.Lifetime, now);
        }
    }

    private void SpeakSoonWhileLocked(TimeSpan now)
    {
        if (_timer is null || _isStopped)
            return;
        var at = _spoke + MessagesEvery > now ? _spoke + MessagesEvery : now;
        if (at >= _due)
            return;
        _due = at;
        _timer.Change(TimeSpan.FromMilliseconds(Math.Ceiling((at - now).TotalMilliseconds)), Timeout.InfiniteTimeSpan);
    }

    private string FingerprintOf(EndpointState member) => _domains.Fingerprint(member, _pool.AttemptLimits);

    private List<PeerMember> MembersWhileLocked(TimeSpan now)
    {
        var states = _pool.Members;
        if (_members.Count > states.Length)
        {
            foreach (var (name, member) in _members.ToArray())
            {
                if (Array.IndexOf(states, member.State) < 0)
                    _members.Remove(name);
            }
        }

        var members = new List<PeerMember>(states.Length);
        foreach (var state in states)
        {
            if (MemberWhileLocked(state) is { } member)
                members.Add(member);
        }

        return members;
    }

    private PeerMember? MemberWhileLocked(EndpointState state)
    {
        var name = state.Endpoint.Name;
        if (_members.TryGetValue(name, out var member) && member.State == state)
            return member;
        return _members[name] = new PeerMember(state);
    }
}
