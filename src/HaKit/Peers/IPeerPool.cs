using HaKit.Attempts;

namespace HaKit.Peers;

/// <summary>What the exchange with other replicas needs of its pool.</summary>
internal interface IPeerPool
{
    EndpointState[] Members { get; }

    SharingOptions Sharing { get; }

    EndpointPoolLimits AttemptLimits { get; }

    /// <summary>Something shows that an endpoint is back: one waiting call may look.</summary>
    void ReleaseWaiter();

    /// <summary>Has the endpoint asked at once. False when it has no probe, or asking now is of no use.</summary>
    bool AskNow(EndpointState member);

    /// <summary>Carries out an order that another replica took.</summary>
    void CarryOut(PeerFact order);

    /// <summary>An order that this replica took no longer holds, because of one that another replica took.</summary>
    void Overruled(PeerFact order, PeerFact by);

    /// <summary>The link to the other replicas came up, or went down.</summary>
    void LinkChanged(PeerLinkStatus status);

    /// <summary>An order with a wrong signature was ignored.</summary>
    void RefusedOrder(string replica);
}
