namespace HaKit.Peers;

/// <summary>Describes one rate limit that the replicas of a fleet share, for one replica.</summary>
internal readonly record struct SharedLimit
{
    /// <summary>Gets the limit of all replicas together, for any 60 s.</summary>
    public required long Limit { get; init; }

    /// <summary>Gets the amount that the other replicas reported for the last 60 s.</summary>
    public required long TakenByOthers { get; init; }

    /// <summary>Gets the last known number of replicas, including this replica.</summary>
    public required int Replicas { get; init; }

    /// <summary>Gets whether the store answers. The reports of the other replicas are then current.</summary>
    public required bool IsConnected { get; init; }
}

/// <summary>Computes how much of a shared limit a replica reserves for the other replicas. A pure function.</summary>
internal static class SharedLimits
{
    // The margin covers the usage of the other replicas since their last report. Replicas that have used nothing in the last minute need none. So a call that is
    // as large as the limit is possible.
    private const double Margin = 0.05;

    // A replica keeps this share independently of the reports of other replicas, so that false reports cannot stop it.
    private const double KeptOfShare = 0.1;

    /// <summary>Gets the part of the limit that this replica must not use.</summary>
    public static uint HeldFor(in SharedLimit shared)
    {
        if (shared.Replicas <= 1 && shared.TakenByOthers <= 0)
            return 0;
        var equal = Math.Max(1, shared.Limit / Math.Max(1, shared.Replicas));
        if (!shared.IsConnected)
            return ClampHeld(shared.Limit, equal);
        var left = shared.TakenByOthers > 0 ? shared.Limit - shared.TakenByOthers - (long)Math.Ceiling(shared.Limit * Margin) : shared.Limit;
        return ClampHeld(shared.Limit, Math.Max(left, (long)Math.Ceiling(equal * KeptOfShare)));
    }

    private static uint ClampHeld(long limit, long kept) => (uint)Math.Clamp(limit - kept, 0, uint.MaxValue - 1);
}
