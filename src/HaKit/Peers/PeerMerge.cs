namespace HaKit.Peers;

/// <summary>
/// Decides which of two facts with the same key is in force. It is a pure function: commutative, associative and idempotent. So replicas agree even if facts
/// are lost, repeated or late, because the facts of a pool form a join semilattice (Shapiro, Preguiça, Baquero, Zawirski, "Conflict-free replicated data
/// types", 2011).
/// </summary>
internal static class PeerMerge
{
    public static PeerFact Merge(PeerFact one, PeerFact other) => Compare(one, other) >= 0 ? one : other;

    /// <summary>Compares two facts. Above 0: the first fact is in force. 0 only for equal facts.</summary>
    public static int Compare(PeerFact one, PeerFact other)
    {
        var first = one.Kind switch
        {
            // The longest wait protects the server that named it.
            PeerFactKind.Cooldown or PeerFactKind.TrialBegun or PeerFactKind.TrialFailed => one.Left.CompareTo(other.Left),
            _ => one.Version.CompareTo(other.Version),
        };
        if (first != 0)
            return first;
        var second = one.Version != other.Version ? one.Version.CompareTo(other.Version) : string.CompareOrdinal(one.Replica, other.Replica);
        if (second != 0)
            return second;
        var third = one.Left.CompareTo(other.Left);
        // A replica never publishes two different facts with the same version, so the store has changed one of them. Any fixed choice is good enough then.
        return third != 0 ? third : string.CompareOrdinal(PeerFactFormat.Identity(one), PeerFactFormat.Identity(other));
    }
}
