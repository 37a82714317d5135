namespace HaKit.Peers;

/// <summary>
/// Holds the facts that this replica publishes: the facts that wait for the next message, and all published facts that are still valid. A valid fact is
/// published again if the store has lost it. Guarded by its owner's lock.
/// </summary>
internal sealed class OwnFacts
{
    private readonly Dictionary<PeerFactKey, (PeerFact Fact, TimeSpan Until)> _holding = [];
    private readonly HashSet<PeerFactKey> _waiting = [];
    private long _version;

    public bool AreWaiting => _waiting.Count > 0;

    public long NextVersion() => ++_version;

    /// <summary>Adds a fact that is valid until the given time. For each key, the fact that <see cref="PeerMerge"/> prefers is kept.</summary>
    public void Add(PeerFact fact, TimeSpan until, TimeSpan now)
    {
        if (until <= now)
            return;
        if (_holding.TryGetValue(fact.Key, out var known) && known.Until > now
            && PeerMerge.Compare(known.Fact with { Left = known.Until - now }, fact with { Left = until - now }) > 0)
        {
            return;
        }

        _holding[fact.Key] = (fact, until);
        _waiting.Add(fact.Key);
    }

    /// <summary>Adds an order of another replica. It is not published now, but only if the store loses it.</summary>
    public void Hold(PeerFact fact, TimeSpan until, TimeSpan now)
    {
        if (until > now)
            _holding[fact.Key] = (fact, until);
    }

    /// <summary>Adds all valid facts that the store does not have to the next message.</summary>
    public void AddMissing(IReadOnlyList<PeerFact> stored, TimeSpan now)
    {
        var known = new Dictionary<PeerFactKey, PeerFact>();
        foreach (var fact in stored)
            known[fact.Key] = known.TryGetValue(fact.Key, out var other) ? PeerMerge.Merge(fact, other) : fact;
        foreach (var (key, (fact, until)) in _holding)
        {
            if (until > now && !(known.TryGetValue(key, out var there) && IsInForceOver(there, fact, until - now)))
                _waiting.Add(key);
        }
    }

    // Each replica numbers the versions of its own facts, so the versions of two replicas cannot be compared. Orders are the exception: all replicas use one
    // sequence of versions for them.
    private static bool IsInForceOver(PeerFact stored, PeerFact own, TimeSpan left)
    {
        if (stored.Replica == own.Replica)
            return stored.Version >= own.Version || own.Kind == PeerFactKind.Cooldown && stored.Left >= left;
        return own.Kind == PeerFactKind.Cooldown ? stored.Left >= left : PeerMerge.Compare(stored, own with { Left = stored.Left }) >= 0;
    }

    /// <summary>Takes the facts of the next message, with their remaining times.</summary>
    public PeerFact[] DequeueWaiting(TimeSpan now)
    {
        var facts = new List<PeerFact>(_waiting.Count);
        foreach (var key in _waiting)
        {
            if (_holding.TryGetValue(key, out var own) && own.Until > now)
                facts.Add(own.Fact with { Left = own.Until - now });
        }

        _waiting.Clear();
        return [.. facts];
    }

    public void RemoveExpired(TimeSpan now)
    {
        foreach (var (key, own) in _holding)
        {
            if (own.Until <= now)
                _holding.Remove(key);
        }
    }
}
