using HaKit.Health;

namespace HaKit.Attempts;

/// <summary>
/// Holds the members of a pool at one moment. Immutable. A new snapshot replaces it when the membership or the eligibility of an endpoint changes, so data
/// that is derived from a snapshot is valid as long as the snapshot is the same.
/// </summary>
internal sealed class PoolSnapshot(EndpointState[] members, int firstTier)
{
    private static long s_made;

    /// <summary>Gets the number of the snapshot; later snapshots have higher numbers.</summary>
    public long Number { get; } = Interlocked.Increment(ref s_made);

    /// <summary>Gets the members in the order in which they are listed.</summary>
    public EndpointState[] Members { get; } = members;

    /// <summary>Gets the members as endpoints. Created once for each snapshot, because every call of a chat client reads it.</summary>
    public IReadOnlyList<PoolEndpoint> Endpoints => field ??= Array.AsReadOnly(Array.ConvertAll(Members, static m => m.Endpoint));

    /// <summary>Gets the tier that an operator has promoted; the tiers before it are used last.</summary>
    public int FirstTier { get; } = firstTier;

    /// <summary>Finds the member with this health. Null if the endpoint no longer belongs to the pool.</summary>
    public EndpointState? MemberOf(EndpointHealth health) => Array.Find(Members, m => ReferenceEquals(m.Health, health));

    /// <summary>Creates a snapshot with the same members, after the eligibility of some members has changed.</summary>
    public PoolSnapshot Renewed() => new(Members, FirstTier);
}
