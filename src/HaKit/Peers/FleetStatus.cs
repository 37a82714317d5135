using HaKit.Faults;

namespace HaKit.Peers;

/// <summary>Describes the replicas of the application at one moment, as one pool sees them. Immutable; contains no key, prompt or address.</summary>
public sealed record FleetStatus
{
    /// <summary>Gets the name of this replica.</summary>
    public required string Replica { get; init; }

    /// <summary>Gets the status of the link. Null for a pool without a link.</summary>
    public PeerLinkStatus? Link { get; init; }

    /// <summary>Gets the replicas from which recent facts are known, including this replica, sorted by name.</summary>
    public required IReadOnlyList<ReplicaStatus> Replicas { get; init; }

    /// <summary>Gets the orders in force: at most one for each endpoint, and one for the tiers of the pool.</summary>
    public required IReadOnlyList<FleetOrder> Orders { get; init; }

    /// <summary>Gets the orders of the last 90 days, at most 1,000, the oldest first.</summary>
    public required IReadOnlyList<FleetOrder> OrderLog { get; init; }
}

/// <summary>Describes the opinions of one replica. Immutable.</summary>
/// <param name="Replica">The replica's name.</param>
/// <param name="IsThis">True if it is this replica.</param>
/// <param name="Endpoints">The replica's opinions about the endpoints. Endpoints without a fresh opinion are left out.</param>
public sealed record ReplicaStatus(string Replica, bool IsThis, IReadOnlyList<ReplicaView> Endpoints);

/// <summary>Describes the opinion of one replica about one endpoint. Immutable.</summary>
/// <param name="Endpoint">The endpoint's name.</param>
/// <param name="Opinion">The opinion: the endpoint serves, or is ejected.</param>
/// <param name="Fault">The fault that caused the ejection. Null: it is not ejected.</param>
/// <param name="Since">The time since when the replica has this opinion, by this replica's wall clock.</param>
/// <param name="Counts">
/// True if the replica calls the endpoint with the same address, model, credential and time limits as this replica. Only then does its opinion count.
/// </param>
public sealed record ReplicaView(string Endpoint, PeerOpinion Opinion, FaultKind? Fault, DateTimeOffset Since, bool Counts);

/// <summary>Describes an order that the fleet shares. Immutable.</summary>
/// <param name="Order">The order.</param>
/// <param name="Endpoint">The endpoint. Null for an order about tiers.</param>
/// <param name="Tier">The tier, for a promotion.</param>
/// <param name="By">The operator.</param>
/// <param name="Reason">The reason. Null: none was given.</param>
/// <param name="Replica">The replica that took the order.</param>
/// <param name="GivenAt">The time of the order, by that replica's wall clock.</param>
/// <param name="Version">The version. Later orders about the same endpoint have higher versions.</param>
public sealed record FleetOrder(PoolOrder Order, string? Endpoint, int? Tier, string By, string? Reason, string Replica, DateTimeOffset GivenAt, long Version)
{
    internal static FleetOrder FromFact(PeerFact fact) => new(
        fact.Order!.Order, fact.Subject.Length == 0 ? null : fact.Subject, fact.Order.Tier, fact.Order.By, fact.Order.Reason, fact.Replica, fact.Order.GivenAt, fact.Version);
}
