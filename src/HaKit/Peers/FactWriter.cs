using HaKit.Attempts;
using HaKit.Faults;
using HaKit.Health;

namespace HaKit.Peers;

/// <summary>Creates facts from this replica's own evidence, and adds them to the next message. Guarded by its owner's lock.</summary>
internal sealed class FactWriter(IPeerPool pool, PeerDomains domains, OwnFacts own, string replica)
{
    private static readonly TimeSpan RepeatedEvery = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan ShortLived = TimeSpan.FromSeconds(30);

    // If there are more replicas than this, each replica sends less often, so that their messages together stay at twenty a second.
    private const int ManyReplicas = 200;

    /// <summary>Adds the facts for other replicas after a change of an endpoint's health.</summary>
    public void AddChange(in HealthChange change, EndpointState member, TimeSpan now)
    {
        var sharing = pool.Sharing;
        var (before, after, evidence) = (change.Before, change.After, change.Evidence);
        var isOwn = evidence.Source is EvidenceSource.Traffic or EvidenceSource.Probe;
        if (sharing.Cooldowns && isOwn && evidence.Fault is { } said && said.HasRetryAfter() && !ReferenceEquals(before.Cooldown, after.Cooldown) && after.Cooldown is { } cooldown
            && evidence.Began >= member.ReplacedAt) // an earlier attempt may have used another credential, which the fact must not name
        {
            AddCooldown(member, said, cooldown, now);
        }
        if (evidence.Source == EvidenceSource.TrialBegun && before.Status == EndpointHealthStatus.Ejected && sharing.Trials)
            Add(PeerFactKind.TrialBegun, member, now, after.Cause);
        if (before.Status == EndpointHealthStatus.Trial && after.Status == EndpointHealthStatus.Ejected && (isOwn || evidence.Source == EvidenceSource.Time) && evidence.Fault?.IsNeutral != true)
        {
            if (sharing.Trials)
                Add(PeerFactKind.TrialFailed, member, now, after.Cause);
        }
        else if (after.IsInService && before.Status is EndpointHealthStatus.Ejected or EndpointHealthStatus.Trial && isOwn && after.Status == EndpointHealthStatus.SlowStart && sharing.Recoveries)
        {
            Add(PeerFactKind.Recovered, member, now, null);
        }
    }

    /// <summary>
    /// Adds this replica's opinions. A changed opinion is published at once. Unchanged opinions are repeated together in one message, because a replica sends at
    /// most one message a second: if each opinion took a message of its own, urgent facts would have to wait.
    /// </summary>
    /// <param name="members">The endpoints.</param>
    /// <param name="replicas">The number of replicas, including this one.</param>
    /// <param name="now">The current time on the pool's clock.</param>
    public void AddOpinions(List<PeerMember> members, int replicas, TimeSpan now)
    {
        var every = replicas > ManyReplicas ? TimeSpan.FromSeconds(replicas / 20.0) : RepeatedEvery;
        var isDue = members.Exists(m => m.UpdateOwnOpinion(now) is { Opinion: not PeerOpinion.None } own && now - m.PublishedAt >= every && own.At > m.PublishedAt);
        foreach (var member in members)
        {
            var opinion = member.UpdateOwnOpinion(now);
            var isNew = opinion.Opinion != member.Published;
            if (!isNew && (!isDue || opinion.Opinion == PeerOpinion.None || opinion.At <= member.PublishedAt))
                continue;
            AddOpinion(member, opinion, now);
        }
    }

    /// <summary>
    /// Takes the facts of the last message: the facts that wait for the next message, such as an order that was given just now, and facts that take this replica's
    /// opinions back, because it stops and can no longer correct them.
    /// </summary>
    public PeerFact[] TakeLast(List<PeerMember> members, TimeSpan now)
    {
        foreach (var member in members)
        {
            if (member.Published != PeerOpinion.None)
                AddOpinion(member, default, now);
        }
        return own.DequeueWaiting(now);
    }

    private void AddOpinion(PeerMember member, in OwnOpinion opinion, TimeSpan now)
    {
        if (opinion.Opinion != member.Published)
            member.Version = own.NextVersion();
        (member.Published, member.PublishedAt) = (opinion.Opinion, now);
        var fact = new PeerFact
        {
            Kind = PeerFactKind.Opinion,
            Subject = member.State.Endpoint.Name,
            Replica = replica,
            Version = member.Version,
            Length = OwnOpinion.Lifetime,
            Fingerprint = domains.Fingerprint(member.State, pool.AttemptLimits),
            Opinion = opinion.Opinion,
            Level = opinion.Level,
            Fault = opinion.Fault,
        };
        own.Add(fact, (opinion.Opinion == PeerOpinion.None ? now : opinion.At) + OwnOpinion.Lifetime, now);
    }

    private void AddCooldown(EndpointState member, Fault said, Cooldown cooldown, TimeSpan now)
    {
        var length = said.Wait() < PeerTransitions.LongestCooldown ? said.Wait() : PeerTransitions.LongestCooldown;
        var fact = new PeerFact
        {
            Kind = PeerFactKind.Cooldown,
            Subject = domains.Subject(member, said.Reach),
            Replica = replica,
            Version = own.NextVersion(),
            Length = length,
            Fault = said.Kind,
            StatusCode = said.StatusCode,
            Reach = said.Reach,
        };
        own.Add(fact, now + length < cooldown.Until ? now + length : cooldown.Until, now);
    }

    private void Add(PeerFactKind kind, EndpointState member, TimeSpan now, Fault? fault) => own.Add(
        new PeerFact
        {
            Kind = kind,
            Subject = member.Endpoint.Name,
            Replica = replica,
            Version = own.NextVersion(),
            Length = ShortLived,
            Fingerprint = domains.Fingerprint(member, pool.AttemptLimits),
            Fault = fault?.Kind,
        },
        now + ShortLived,
        now);
}
