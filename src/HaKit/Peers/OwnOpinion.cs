using HaKit.Faults;
using HaKit.Health;

namespace HaKit.Peers;

/// <summary>Holds this replica's own evidence about an endpoint, from its attempts and probes.</summary>
internal readonly record struct OwnEvidence
{
    public required HealthState Health { get; init; }

    /// <summary>Gets when a call last got an answer from the endpoint.</summary>
    public TimeSpan? AnsweredAt { get; init; }

    /// <summary>Gets the latest probe: the time of its end, its level, and whether it succeeded.</summary>
    public (TimeSpan At, ProbeLevel Level, bool IsHit)? Probe { get; init; }

    /// <summary>Gets the previous opinion. It stays the opinion while a trial is running.</summary>
    public OwnOpinion Before { get; init; }

    public required TimeSpan Now { get; init; }
}

/// <summary>
/// Holds this replica's opinion about an endpoint, for the other replicas: the endpoint serves, the endpoint is ejected, or neither. Also holds the time of the
/// evidence.
/// </summary>
internal readonly record struct OwnOpinion(PeerOpinion Opinion, ProbeLevel Level, FaultKind? Fault, TimeSpan At)
{
    /// <summary>
    /// Gets how long an opinion holds, counted from the attempt or probe of this replica that is its evidence. After this time the replica has no opinion.
    /// </summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(30);

    /// <summary>Computes the opinion from the evidence. A pure function.</summary>
    public static OwnOpinion FromEvidence(in OwnEvidence evidence)
    {
        var opinion = Latest(evidence);
        return evidence.Now - opinion.At < Lifetime ? opinion : default;
    }

    private static OwnOpinion Latest(in OwnEvidence evidence)
    {
        var health = evidence.Health;
        // An ejection by other replicas does not change this replica's own opinion.
        if (health.IsByPeers)
            return Served(evidence);
        switch (health.Status)
        {
            // The requests themselves may be the reason for refusals. The bad requests of one caller must not eject an endpoint on other replicas.
            case EndpointHealthStatus.Ejected when !health.IsOutForRefusals && health.Cause is { Kind: not FaultKind.BreakerOpen } cause:
                var asked = evidence.Probe is { IsHit: false } miss && miss.At > health.Since ? miss.At : health.Since;
                return new OwnOpinion(PeerOpinion.Ejected, health.CauseLevel, cause.Kind, asked);
            case EndpointHealthStatus.Trial:
                return evidence.Before;
            case EndpointHealthStatus.Healthy or EndpointHealthStatus.SlowStart or EndpointHealthStatus.Suspect when (health.ConsecutiveFailures | health.ProbeMisses) == 0:
                return Served(evidence);
            default:
                return default;
        }
    }

    private static OwnOpinion Served(in OwnEvidence evidence)
    {
        if (evidence.AnsweredAt is { } answered && evidence.Now - answered < Lifetime)
            return new OwnOpinion(PeerOpinion.Serves, ProbeLevel.Generating, null, answered);
        return evidence.Probe is { IsHit: true } hit ? new OwnOpinion(PeerOpinion.Serves, hit.Level, null, hit.At) : default;
    }
}
