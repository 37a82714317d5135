using HaKit.Attempts;

namespace HaKit.Peers;

/// <summary>The operations of the pool that the exchange with other replicas needs.</summary>
internal interface IPeerPool
{
    EndpointState[] Members { get; }

    SharingOptions Sharing { get; }

    EndpointPoolLimits AttemptLimits { get; }

    /// <summary>Releases one waiting call, because an endpoint is probably back.</summary>
    void ReleaseWaiter();

    /// <summary>Probes an endpoint at once. False if it has no probe, or if a probe would be useless now.</summary>
    bool ProbeNow(EndpointState member);

    /// <summary>
    /// Executes an order of another replica. False if the order cannot be executed yet, because its tier has no endpoint. An order about an endpoint that the
    /// pool does not have is executed when the endpoint is added.
    /// </summary>
    bool ExecuteOrder(PeerFact order);

    /// <summary>Reports that an order of this replica is no longer in force, because another replica has a later order.</summary>
    void ReportOverruled(PeerFact order, PeerFact by);

    /// <summary>Reports that the link to the other replicas is up or down.</summary>
    void ReportLink(PeerLinkStatus status);

    /// <summary>Reports that an order with a wrong signature was ignored.</summary>
    void ReportRefusedOrder(string replica);
}
