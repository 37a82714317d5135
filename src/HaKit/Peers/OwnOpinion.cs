using HaKit.Faults;
using HaKit.Health;

namespace HaKit.Peers;

/// <summary>What this replica knows of an endpoint by its own attempts and probes.</summary>
internal readonly record struct OwnEvidence
{
    public required HealthState Health { get; init; }

    /// <summary>When traffic last had an answer from it.</summary>
    public TimeSpan? AnsweredAt { get; init; }

    /// <summary>The latest probe: when, what it exercised, and whether it succeeded.</summary>
    public (TimeSpan At, ProbeLevel Level, bool IsHit)? Probe { get; init; }

    /// <summary>What it was before: while a trial is under way nothing new is known.</summary>
    public OwnOpinion Before { get; init; }

    public required TimeSpan Now { get; init; }
}

/// <summary>This replica's opinion, and when the evidence for it came.</summary>
internal readonly record struct OwnOpinion(PeerOpinion Opinion, ProbeLevel Level, FaultKind? Fault, TimeSpan At)
{
    /// <summary>Successes and ejections alike count for so long after the latest attempt or probe of one's own.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(30);

    /// <summary>The opinion that follows from the evidence. A pure function.</summary>
    public static OwnOpinion FromEvidence(in OwnEvidence evidence)
    {
        var opinion = Latest(evidence);
        return evidence.Now - opinion.At < Lifetime ? opinion : default;
    }

    private static OwnOpinion Latest(in OwnEvidence evidence)
    {
        var health = evidence.Health;
        // Ejected by other replicas: what we think of it ourselves is what we thought before.
        if (health.IsByPeers)
            return Served(evidence);
        switch (health.Status)
        {
            // Refusals may be due to what was asked, and what one caller sends must not take an endpoint from the callers of another replica.
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
