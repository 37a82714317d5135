using HaKit.Health;

namespace HaKit.Attempts;

/// <summary>
/// The members of a pool at one moment. Immutable; a new one is swapped in when membership or the eligibility of an endpoint changes, so code that
/// derived something from a snapshot may keep it for as long as the snapshot is the same.
/// </summary>
internal sealed class PoolSnapshot(EndpointState[] members, int firstTier)
{
    private static long s_made;

    /// <summary>Later ones have higher numbers.</summary>
    public long Number { get; } = Interlocked.Increment(ref s_made);

    /// <summary>In the order in which they were listed.</summary>
    public EndpointState[] Members { get; } = members;

    /// <summary>The same as endpoints. Made once for each snapshot, because every call of a chat client asks for it.</summary>
    public IReadOnlyList<PoolEndpoint> Endpoints => field ??= Array.AsReadOnly(Array.ConvertAll(Members, static m => m.Endpoint));

    /// <summary>The tier that an operator made primary; tiers before it are used last.</summary>
    public int FirstTier { get; } = firstTier;

    /// <summary>Finds the member whose health this is; null when it no longer belongs to the pool.</summary>
    public EndpointState? MemberOf(EndpointHealth health) => Array.Find(Members, m => ReferenceEquals(m.Health, health));

    /// <summary>The same members, some of them with another eligibility.</summary>
    public PoolSnapshot Renewed() => new(Members, FirstTier);
}
