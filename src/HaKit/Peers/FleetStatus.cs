using HaKit.Faults;

namespace HaKit.Peers;

/// <summary>What a pool knows of the other replicas at one moment. Immutable; holds no key, prompt or address.</summary>
public sealed record FleetStatus
{
    /// <summary>This replica.</summary>
    public required string Replica { get; init; }

    /// <summary>How the link is; null for a pool without a link.</summary>
    public PeerLinkStatus? Link { get; init; }

    /// <summary>The replicas that were heard of lately, this one among them, by name.</summary>
    public required IReadOnlyList<ReplicaStatus> Replicas { get; init; }

    /// <summary>The orders that hold: one for each endpoint, and one for the pool.</summary>
    public required IReadOnlyList<FleetOrder> Orders { get; init; }

    /// <summary>The orders of the last 90 days, at most 1,000, the oldest first.</summary>
    public required IReadOnlyList<FleetOrder> OrderLog { get; init; }
}

/// <summary>What one replica thinks. Immutable.</summary>
/// <param name="Replica">Its name.</param>
/// <param name="IsThis">Is it this one?</param>
/// <param name="Endpoints">What it thinks of the endpoints; those of which it has no fresh opinion are left out.</param>
public sealed record ReplicaStatus(string Replica, bool IsThis, IReadOnlyList<ReplicaView> Endpoints);

/// <summary>What one replica thinks of one endpoint. Immutable.</summary>
/// <param name="Endpoint">The endpoint's name.</param>
/// <param name="Opinion">Serves or ejected.</param>
/// <param name="Fault">Why it was ejected; null for no ejection.</param>
/// <param name="Since">Since when, by this replica's wall clock.</param>
/// <param name="Counts">Does it ask the endpoint as this replica does, so that its opinion counts?</param>
public sealed record ReplicaView(string Endpoint, PeerOpinion Opinion, FaultKind? Fault, DateTimeOffset Since, bool Counts);

/// <summary>An order that the fleet shares. Immutable.</summary>
/// <param name="Order">The order.</param>
/// <param name="Endpoint">The endpoint; null for an order about tiers.</param>
/// <param name="Tier">The tier, for a promotion.</param>
/// <param name="By">The operator.</param>
/// <param name="Reason">Why; null for none.</param>
/// <param name="Replica">The replica that took the order.</param>
/// <param name="GivenAt">When, by that replica's wall clock.</param>
/// <param name="Version">Later orders of the same endpoint have higher versions.</param>
public sealed record FleetOrder(PoolOrder Order, string? Endpoint, int? Tier, string By, string? Reason, string Replica, DateTimeOffset GivenAt, long Version)
{
    internal static FleetOrder FromFact(PeerFact fact) => new(
        fact.Order!.Order, fact.Subject.Length == 0 ? null : fact.Subject, fact.Order.Tier, fact.Order.By, fact.Order.Reason, fact.Replica, fact.Order.GivenAt, fact.Version);
}
