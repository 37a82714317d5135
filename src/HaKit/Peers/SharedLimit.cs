namespace HaKit.Peers;

/// <summary>One rate limit that the replicas of a fleet share, as one replica sees it.</summary>
internal readonly record struct SharedLimit
{
    /// <summary>The limit of all replicas together, for any 60 s.</summary>
    public required long Limit { get; init; }

    /// <summary>What the other replicas said that they took in the last 60 s.</summary>
    public required long TakenByOthers { get; init; }

    /// <summary>Replicas that were last seen, this one among them.</summary>
    public required int Replicas { get; init; }

    /// <summary>Does the store answer, so that the others can be heard?</summary>
    public required bool IsConnected { get; init; }
}

/// <summary>How much of a shared limit a replica leaves to the others. A pure function.</summary>
internal static class SharedLimits
{
    // What was taken since the others last spoke is not known yet.
    private const double Margin = 0.05;

    // Whatever the others say, so that a store that lies stops no replica.
    private const double KeptOfShare = 0.1;

    /// <summary>The part of the limit that this replica does not take.</summary>
    public static uint HeldFor(in SharedLimit shared)
    {
        if (shared.Replicas <= 1 && shared.TakenByOthers <= 0)
            return 0;
        var equal = Math.Max(1, shared.Limit / Math.Max(1, shared.Replicas));
        if (!shared.IsConnected)
            return Held(shared.Limit, equal);
        var left = shared.Limit - Math.Max(0, shared.TakenByOthers) - (long)Math.Ceiling(shared.Limit * Margin);
        return Held(shared.Limit, Math.Max(left, (long)Math.Ceiling(equal * KeptOfShare)));
    }

    private static uint Held(long limit, long kept) => (uint)Math.Clamp(limit - kept, 0, uint.MaxValue - 1);
}
