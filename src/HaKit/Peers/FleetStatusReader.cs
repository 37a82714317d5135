namespace HaKit.Peers;

/// <summary>
/// Creates the status of the fleet: the opinions of each replica and the time since which it has each opinion, the operators' orders, and the status of the
/// link. The caller must hold the lock of <see cref="PeerExchange"/>, which guards the facts.
/// </summary>
internal static class FleetStatusReader
{
    /// <param name="replica">This replica.</param>
    /// <param name="link">The state of the link. Null if there is none.</param>
    /// <param name="book">The facts of other replicas.</param>
    /// <param name="members">The endpoints.</param>
    /// <param name="fingerprintOf">Returns the fingerprint of this replica's settings for an endpoint.</param>
    /// <param name="now">The current time on the pool's clock.</param>
    /// <param name="at">The current time on the wall clock.</param>
    public static FleetStatus Read(
        string replica, PeerLinkStatus? link, PeerBook book, List<PeerMember> members, Func<PeerMember, string> fingerprintOf, TimeSpan now, DateTimeOffset at)
    {
        var views = new Dictionary<string, List<ReplicaView>>(StringComparer.Ordinal) { [replica] = [] };
        foreach (var name in book.ReplicaNames)
            views.TryAdd(name, []);
        foreach (var member in members)
        {
            var (own, name) = (member.UpdateOwnOpinion(now), member.State.Endpoint.Name);
            if (own.Opinion != PeerOpinion.None)
                views[replica].Add(new ReplicaView(name, own.Opinion, own.Fault, at - (now - own.At), true));
            var fingerprint = fingerprintOf(member);
            foreach (var heard in book.Opinions(name, now))
            {
                if (heard.Opinion != PeerOpinion.None && views.TryGetValue(heard.Replica, out var view))
                    view.Add(new ReplicaView(name, heard.Opinion, heard.Fault, at - (now - heard.Since), heard.Fingerprint == fingerprint));
            }
        }
        return new FleetStatus
        {
            Replica = replica,
            Link = link,
            Replicas = [.. views.OrderBy(static v => v.Key, StringComparer.Ordinal).Select(v => new ReplicaStatus(v.Key, v.Key == replica, v.Value))],
            Orders = [.. book.Orders.Select(static o => FleetOrder.FromFact(o.Fact)).OrderBy(static o => o.GivenAt)],
            OrderLog = [.. book.OrderLog.Select(static o => FleetOrder.FromFact(o.Fact))],
        };
    }
}
