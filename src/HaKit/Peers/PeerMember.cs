using HaKit.Attempts;

namespace HaKit.Peers;

/// <summary>Holds the state of one endpoint in the exchange with other replicas. Guarded by the exchange's lock.</summary>
internal sealed class PeerMember(EndpointState state)
{
    public EndpointState State { get; } = state;

    /// <summary>Gets or sets this replica's opinion.</summary>
    public OwnOpinion Own { get; set; }

    /// <summary>Gets or sets the published opinion. Its version increases when the opinion changes.</summary>
    public PeerOpinion Published { get; set; }

    public TimeSpan PublishedAt { get; set; } = TimeSpan.MinValue / 2;

    public long Version { get; set; }

    /// <summary>
    /// Gets or sets whether the majority's ejection has been handled. It is handled again only after the majority has ended and formed again.
    /// </summary>
    public bool IsMajorityApplied { get; set; }

    /// <summary>Gets or sets when a probe was sent to check the majority's ejection.</summary>
    public TimeSpan? AskedAt { get; set; }

    /// <summary>Gets or sets the version of the order that was executed on the endpoint.</summary>
    public long OrderVersion { get; set; }

    public OwnOpinion UpdateOwnOpinion(TimeSpan now)
    {
        var heartbeat = State.Heartbeat;
        return Own = OwnOpinion.FromEvidence(new OwnEvidence
        {
            Health = State.Health.State,
            AnsweredAt = State.AnsweredAt,
            Probe = heartbeat is null ? null : (heartbeat.At, heartbeat.Level, heartbeat.Fault is null),
            Before = Own,
            Now = now,
        });
    }
}
