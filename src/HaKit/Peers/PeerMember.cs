using HaKit.Attempts;

namespace HaKit.Peers;

/// <summary>One endpoint in the exchange with other replicas. Guarded by the exchange's lock.</summary>
internal sealed class PeerMember(EndpointState state)
{
    public EndpointState State { get; } = state;

    /// <summary>This replica's opinion.</summary>
    public OwnOpinion Own { get; set; }

    /// <summary>What was published of it, and when; the version grows when the opinion changes.</summary>
    public PeerOpinion Published { get; set; }

    public TimeSpan PublishedAt { get; set; } = TimeSpan.MinValue / 2;

    public long Version { get; set; }

    /// <summary>The majority has ejected it and that has been dealt with: it does so again only after it has changed its mind.</summary>
    public bool IsDealtWith { get; set; }

    /// <summary>When its probe was asked whether the majority is right.</summary>
    public TimeSpan? AskedAt { get; set; }

    /// <summary>The order that was carried out on it.</summary>
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
