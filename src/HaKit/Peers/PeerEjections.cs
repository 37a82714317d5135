using System.Runtime.InteropServices;
using HaKit.Attempts;
using HaKit.Faults;
using HaKit.Health;

namespace HaKit.Peers;

/// <summary>
/// Ejects an endpoint that the majority of the replicas has ejected. Each majority ejects the endpoint only once. After that, a trial of this replica decides. If
/// a probe of this replica can test the broken part, the probe runs before the ejection. Takes its owner's lock.
/// </summary>
internal sealed class PeerEjections(IPeerPool pool, PeerBook book, PeerMembers members, PeerDomains domains, Lock gate)
{
    private static readonly TimeSpan LongestProbe = TimeSpan.FromSeconds(2);

    private readonly List<FreshOpinion> _opinions = [];

    /// <summary>Ejects the endpoint if the majority has ejected it, unless this replica's own evidence contradicts the majority.</summary>
    public void DecideByMajority(EndpointState state, TimeSpan now)
    {
        FaultKind cause;
        lock (gate)
        {
            var member = members.Get(state);
            if (!IsEjectedByMajority(member, out var ejection, now))
            {
                (member.IsMajorityApplied, member.AskedAt) = (false, null);
                return;
            }
            if (member.IsMajorityApplied)
                return;
            cause = ejection.Fault ?? FaultKind.Unknown;
            if (!state.Health.State.IsInService || Refutes(member, ejection, now))
            {
                member.IsMajorityApplied = true;
                return;
            }
            if (WaitsForProbe(member, ejection, now))
                return;
        }
        var isLast = !Array.Exists(pool.Members, other => other != state && other.Health.State.Admits(now) && PeerHearing.Covers(other.Endpoint, state.Endpoint));
        if (!isLast)
            state.Health.ApplyPeerFact(PeerWord.Ejected, new Fault(cause), now, default, isLast, now);
    }

    private bool IsEjectedByMajority(PeerMember member, out ReceivedOpinion ejection, TimeSpan now)
    {
        var state = member.State;
        _opinions.Clear();
        book.CollectOpinions(state.Endpoint.Name, domains.Fingerprint(state, pool.AttemptLimits), now, _opinions, out ejection);
        if (ejection.Replica is null)
            return false;
        var own = member.UpdateOwnOpinion(now);
        if (own.Opinion != PeerOpinion.None)
            _opinions.Add(new FreshOpinion(own.Opinion, own.Level));
        return PeerMajority.CountOpinions(CollectionsMarshal.AsSpan(_opinions)).IsEjection;
    }

    // A probe of this replica that tests the broken part decides at once, so that no call has to fail first.
    private static bool Refutes(PeerMember member, in ReceivedOpinion ejection, TimeSpan now) =>
        member.AskedAt is { } asked && member.State.Heartbeat is { Fault: null } hit && hit.At >= asked && hit.Level >= ejection.Level;

    private bool WaitsForProbe(PeerMember member, in ReceivedOpinion ejection, TimeSpan now)
    {
        if (member.AskedAt is { } asked)
            return now - asked < LongestProbe && !(member.State.Heartbeat is { Fault: not null } miss && miss.At >= asked);
        if (member.State.Heartbeat?.Level < ejection.Level)
            return false;
        member.AskedAt = now;
        return pool.ProbeNow(member.State);
    }
}
