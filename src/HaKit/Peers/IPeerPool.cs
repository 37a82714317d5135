using HaKit.Attempts;

namespace HaKit.Peers;

/// <summary>Represents the pool for the exchange with other replicas.</summary>
internal interface IPeerPool
{
    EndpointState[] Members { get; }

    SharingOptions Sharing { get; }

    EndpointPoolLimits AttemptLimits { get; }

    /// <summary>Lets one waiting call look, because an endpoint seems to be back.</summary>
    void ReleaseWaiter();

    /// <summary>Probes an endpoint at once. False if it has no probe, or if a probe would be useless now.</summary>
    bool AskNow(EndpointState member);

    /// <summary>Carries out an order that another replica took.</summary>
    void CarryOut(PeerFact order);

    /// <summary>Reports that an order which this replica took no longer holds, because of an order that another replica took.</summary>
    void Overruled(PeerFact order, PeerFact by);

    /// <summary>Reports that the link to the other replicas is up or down.</summary>
    void LinkChanged(PeerLinkStatus status);

    /// <summary>Reports that an order with a wrong signature was ignored.</summary>
    void RefusedOrder(string replica);
}
