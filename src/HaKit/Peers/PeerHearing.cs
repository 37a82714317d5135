using HaKit.Attempts;
using HaKit.Faults;
using HaKit.Health;

namespace HaKit.Peers;

/// <summary>Applies a fact of another replica to the endpoints of this pool.</summary>
internal readonly struct PeerHearing(IPeerPool pool, PeerDomains domains)
{
    // Clocks and messages are not exact. A fact with more time left than its whole length comes from a clock that has jumped, or from a store with false facts.
    private static readonly TimeSpan Tolerance = TimeSpan.FromSeconds(1);

    /// <summary>Checks whether a fact is plausible: its remaining time must be a part of its length.</summary>
    public static bool IsCredible(PeerFact fact) =>
        fact is { Replica.Length: > 0, Version: > 0 } && fact.Length > TimeSpan.Zero && fact.Length <= TimeSpan.FromDays(90)
        && fact.Left > TimeSpan.Zero && fact.Left <= fact.Length + (fact.Kind == PeerFactKind.Order ? TimeSpan.FromDays(1) : Tolerance);

    public bool IsWanted(PeerFactKind kind) => kind switch
    {
        PeerFactKind.Cooldown => pool.Sharing.Cooldowns,
        PeerFactKind.Opinion => pool.Sharing.Opinions,
        PeerFactKind.TrialBegun or PeerFactKind.TrialFailed => pool.Sharing.Trials,
        PeerFactKind.Recovered => pool.Sharing.Recoveries,
        PeerFactKind.Usage => pool.Sharing.Usage,
        _ => false,
    };

    /// <summary>Gets the endpoints that a fact is about. For a cooldown these are the endpoints in the affected failure domain.</summary>
    public List<EndpointState> TargetsOf(PeerFact fact)
    {
        var targets = new List<EndpointState>();
        foreach (var member in pool.Members)
        {
            if (fact.Kind == PeerFactKind.Cooldown
                ? domains.Subject(member, fact.Reach) == fact.Subject
                : member.Endpoint.Name == fact.Subject && (fact.Kind == PeerFactKind.Opinion || fact.Fingerprint == domains.Fingerprint(member, pool.AttemptLimits)))
            {
                targets.Add(member);
            }
        }

        return targets;
    }

    public void ApplyFact(PeerFact fact, List<EndpointState> targets, TimeSpan now)
    {
        var left = fact.Left < fact.Length ? fact.Left : fact.Length;
        var said = now - (fact.Length - left);
        foreach (var member in targets)
        {
            switch (fact.Kind)
            {
                case PeerFactKind.Cooldown:
                    var fault = new Fault(fact.Fault ?? FaultKind.Throttled) { RetryAfter = left, StatusCode = fact.StatusCode, Reach = fact.Reach };
                    member.Health.ApplyPeerFact(PeerWord.Cooldown, fault, said, left, IsLast(member, now), now);
                    break;
                case PeerFactKind.TrialBegun or PeerFactKind.TrialFailed:
                    member.Health.ApplyPeerFact(fact.Kind == PeerFactKind.TrialBegun ? PeerWord.TrialBegun : PeerWord.TrialFailed, null, said, default, isLast: false, now);
                    break;
                case PeerFactKind.Recovered:
                    member.Health.ApplyPeerFact(PeerWord.Recovered, null, said, default, isLast: false, now);
                    pool.ProbeNow(member);
                    pool.ReleaseWaiter();
                    break;
            }
        }
    }

    /// <summary>Checks whether no other admitted endpoint could serve every request that this endpoint can serve.</summary>
    public bool IsLast(EndpointState member, TimeSpan now) =>
        !Array.Exists(pool.Members, other => other != member && other.Health.State.Admits(now) && Covers(other.Endpoint, member.Endpoint));

    /// <summary>Checks whether the other endpoint could serve every request that this endpoint can serve.</summary>
    public static bool Covers(PoolEndpoint other, PoolEndpoint endpoint)
    {
        var (can, must) = (other.Capabilities, endpoint.Capabilities);
        return (other.Domains.Model is null || endpoint.Domains.Model == other.Domains.Model)
            && (must.Residency is null || must.Residency == can.Residency)
            && (can.ContextWindow is null || must.ContextWindow <= can.ContextWindow)
            && (can.Tools || !must.Tools)
            && (can.Vision || !must.Vision)
            && must.Tags.All(can.Tags.Contains);
    }
}
