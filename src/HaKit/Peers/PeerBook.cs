using HaKit.Health;

namespace HaKit.Peers;

/// <summary>
/// Keeps the valid facts of the other replicas: at most 1,000 replicas for each endpoint. Facts that are no longer valid are removed. Guarded by its owner's
/// lock.
/// </summary>
internal sealed class PeerBook
{
    public const int MostReplicas = 1000;

    private const int MostLoggedOrders = 1000;

    private readonly Dictionary<string, Dictionary<string, ReceivedOpinion>> _opinions = new(StringComparer.Ordinal);
    private readonly Dictionary<(PeerFactKind Kind, string Subject, string Replica), (long Version, TimeSpan Until)> _heard = [];
    private readonly Dictionary<string, TimeSpan> _replicas = new(StringComparer.Ordinal);
    private readonly ReplicaStarts _starts = new();
    private string? _own;
    private readonly Dictionary<string, HeldOrder> _orders = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, HeldOrder> _orderLog = new(StringComparer.Ordinal);

    /// <summary>Gets the number of other replicas from which recent facts are known.</summary>
    public int Replicas => _replicas.Count;

    public IReadOnlyCollection<string> ReplicaNames => _replicas.Keys;

    /// <summary>Gets the latest order for each subject. An order that has just expired may still be among them.</summary>
    public IReadOnlyCollection<HeldOrder> Orders => _orders.Values;

    /// <summary>Gets the log of orders, including overruled orders.</summary>
    public IEnumerable<HeldOrder> OrderLog => _orderLog.Values.OrderBy(static o => o.Fact.Order!.GivenAt);

    /// <summary>Records an opinion. False if it is older than the known opinion, or if the limit on replicas is reached.</summary>
    public bool TryAddOpinion(PeerFact fact, TimeSpan now)
    {
        if (!_opinions.TryGetValue(fact.Subject, out var ofEndpoint))
            _opinions.Add(fact.Subject, ofEndpoint = new(StringComparer.Ordinal));
        var until = now + fact.Left;
        if (ofEndpoint.TryGetValue(fact.Replica, out var known))
        {
            if (fact.Version < known.Version)
                return false;
            if (fact.Version == known.Version && known.Until > until)
                until = known.Until;
        }
        else if (ofEndpoint.Count >= MostReplicas)
        {
            RemoveWhere(ofEndpoint, o => o.Until <= now);
            if (ofEndpoint.Count >= MostReplicas)
                return false;
        }
        var since = known.Replica is not null && known.Opinion == fact.Opinion ? known.Since : now - (fact.Length - fact.Left);
        ofEndpoint[fact.Replica] = new ReceivedOpinion(fact.Replica, fact.Version, fact.Opinion, fact.Level, fact.Fault, fact.Fingerprint, since, until);
        RecordReplica(fact, now);
        return true;
    }

    /// <summary>Records a fact that is applied once. False if it was received before, or if the limit on facts is reached.</summary>
    public bool TryAddOnce(PeerFact fact, TimeSpan now, int endpoints)
    {
        var key = (fact.Kind, fact.Subject, fact.Replica);
        if (_heard.TryGetValue(key, out var known) && fact.Version <= known.Version)
            return false;
        if (_heard.Count >= 4 * endpoints * MostReplicas)
        {
            RemoveWhere(_heard, h => h.Until <= now);
            if (_heard.Count >= 4 * endpoints * MostReplicas)
                return false;
        }
        _heard[key] = (fact.Version, now + fact.Left);
        RecordReplica(fact, now);
        return true;
    }

    /// <summary>
    /// Records an order whose signature is valid. True if the order is in force from now on; <paramref name="before"/> is the order that was in force until
    /// now.
    /// </summary>
    public bool TryAddOrder(PeerFact fact, TimeSpan now, out PeerFact? before)
    {
        var held = new HeldOrder(fact, now + fact.Left);
        before = _orders.TryGetValue(fact.Subject, out var known) && known.Until > now ? known.Fact : null;
        var identity = PeerFactFormat.Identity(fact);
        if (_orderLog.ContainsKey(identity) || _orderLog.Count < MostLoggedOrders)
            _orderLog[identity] = held;
        if (before is not null && PeerMerge.Compare(fact with { Left = default }, before with { Left = default }) <= 0)
            return false;
        _orders[fact.Subject] = held;
        return true;
    }

    /// <summary>Gets the order in force for a subject. Null: none.</summary>
    public HeldOrder? OrderFor(string subject, TimeSpan now) => _orders.TryGetValue(subject, out var held) && held.Until > now ? held : null;

    /// <summary>Gets the highest version of an order about a subject.</summary>
    public long HighestVersion(string subject) => _orders.TryGetValue(subject, out var held) ? held.Fact.Version : 0;

    /// <summary>Gets the valid opinions of other replicas about an endpoint.</summary>
    public IEnumerable<ReceivedOpinion> Opinions(string endpoint, TimeSpan now) =>
        _opinions.TryGetValue(endpoint, out var ofEndpoint) ? ofEndpoint.Values.Where(o => o.Until > now) : [];

    /// <summary>
    /// Adds the valid opinions of replicas with the same fingerprint to <paramref name="into"/>, except ejections by processes that have probably ended (<see
    /// cref="ReplicaStarts"/>). <paramref name="ejection"/> is the opinion of one of the replicas that have ejected the endpoint; its replica is null if no
    /// replica has ejected the endpoint.
    /// </summary>
    public void CollectOpinions(string endpoint, string fingerprint, TimeSpan now, List<FreshOpinion> into, out ReceivedOpinion ejection)
    {
        ejection = default;
        if (!_opinions.TryGetValue(endpoint, out var ofEndpoint))
            return;
        foreach (var opinion in ofEndpoint.Values)
        {
            if (opinion.Until <= now || opinion.Fingerprint != fingerprint || opinion.Opinion == PeerOpinion.None)
                continue;
            if (opinion.Opinion == PeerOpinion.Ejected && _starts.IsReplaced(opinion.Replica, opinion.Until - OwnOpinion.Lifetime))
                continue;
            into.Add(new FreshOpinion(opinion.Opinion, opinion.Level));
            if (opinion.Opinion == PeerOpinion.Ejected)
                ejection = opinion;
        }
    }

    /// <summary>Removes the facts that are no longer valid, and the facts about endpoints that the pool no longer has.</summary>
    public void RemoveExpired(TimeSpan now, Func<string, bool> isKnown)
    {
        foreach (var (endpoint, ofEndpoint) in _opinions)
        {
            RemoveWhere(ofEndpoint, o => o.Until <= now);
            if (ofEndpoint.Count == 0 || !isKnown(endpoint))
                _opinions.Remove(endpoint);
        }
        RemoveWhere(_heard, h => h.Until <= now);
        RemoveWhere(_replicas, until => until <= now);
        _starts.RemoveExcept(_own is null ? _replicas.Keys : _replicas.Keys.Append(_own));
        RemoveWhere(_orders, o => o.Until <= now);
        foreach (var (identity, order) in _orderLog.ToArray())
        {
            if (order.Until <= now)
                _orderLog.Remove(identity);
        }
    }

    /// <summary>
    /// Records that a replica was active when it published the fact. The replica counts for as long as an opinion holds, even if the fact itself, such as a
    /// cooldown, holds for an hour: the replica may be gone, and its next process has another name.
    /// </summary>
    public void RecordReplica(PeerFact fact, TimeSpan now)
    {
        var age = fact.Length - fact.Left;
        var left = OwnOpinion.Lifetime - age;
        var until = now + (left < fact.Left ? left : fact.Left);
        if (until > now && (_replicas.TryGetValue(fact.Replica, out var known) ? known < until : _replicas.Count < 10 * MostReplicas))
        {
            _replicas[fact.Replica] = until;
            _starts.Add(fact.Replica, now - age);
        }
    }

    /// <summary>Records the start of this replica.</summary>
    public void RecordStart(string replica, TimeSpan at)
    {
        _own = replica;
        _starts.Add(replica, at);
    }

    private static void RemoveWhere<TKey, TValue>(Dictionary<TKey, TValue> all, Func<TValue, bool> isOver)
        where TKey : notnull
    {
        foreach (var (key, value) in all)
        {
            if (isOver(value))
                all.Remove(key);
        }
    }
}

/// <summary>Holds another replica's opinion, with its times on this pool's clock.</summary>
internal readonly record struct ReceivedOpinion(
    string Replica, long Version, PeerOpinion Opinion, ProbeLevel Level, FaultKind? Fault, string? Fingerprint, TimeSpan Since, TimeSpan Until);

/// <summary>Holds a received order, and the time on this pool's clock until which it is valid.</summary>
internal sealed record HeldOrder(PeerFact Fact, TimeSpan Until);
