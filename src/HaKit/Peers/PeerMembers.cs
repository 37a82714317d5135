using HaKit.Attempts;

namespace HaKit.Peers;

/// <summary>
/// Holds the pool's endpoints for the exchange with other replicas. Endpoints that the pool no longer has are removed. Guarded by its owner's lock.
/// </summary>
internal sealed class PeerMembers(IPeerPool pool)
{
    private readonly Dictionary<string, PeerMember> _members = new(StringComparer.Ordinal);

    /// <summary>Gets all endpoints that the pool has now.</summary>
    public List<PeerMember> GetAll()
    {
        var states = pool.Members;
        if (_members.Count > states.Length)
        {
            foreach (var (name, member) in _members.ToArray())
            {
                if (Array.IndexOf(states, member.State) < 0)
                    _members.Remove(name);
            }
        }

        var members = new List<PeerMember>(states.Length);
        foreach (var state in states)
            members.Add(Get(state));
        return members;
    }

    /// <summary>Gets one endpoint.</summary>
    public PeerMember Get(EndpointState state)
    {
        var name = state.Endpoint.Name;
        if (_members.TryGetValue(name, out var member) && member.State == state)
            return member;
        return _members[name] = new PeerMember(state);
    }

    /// <summary>Gets an endpoint by its name. Null if there is no endpoint of this name.</summary>
    public PeerMember? Find(string name) => _members.GetValueOrDefault(name);
}
