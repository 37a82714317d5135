namespace HaKit.Peers;

/// <summary>
/// Connects the replicas of one pool, for example through Redis. A link publishes and listens in the background; no call ever waits for it. If the link is
/// down, the pool works alone. Implementations must be thread-safe.
/// </summary>
public interface IPeerLink : IDisposable
{
    /// <summary>
    /// Starts to listen. The <paramref name="listener"/> first gets all valid facts, then each new fact. The listener gets all facts again after each
    /// reconnect, and whenever the store may have lost facts. The pool calls this method once. The listener never throws. It may be called on any thread, one
    /// call at a time.
    /// </summary>
    /// <param name="listener">Receives the facts.</param>
    void Start(Action<PeerNews> listener);

    /// <summary>
    /// Publishes facts as one message. An implementation must not wait and must not throw. If facts cannot be sent yet, it keeps the last fact of each key.
    /// </summary>
    /// <param name="facts">The facts. The pool passes at most one message a second.</param>
    void Publish(IReadOnlyList<PeerFact> facts);

    /// <summary>
    /// Acquires or renews the lease of a role, and returns how long this replica is the leader. Zero if another replica is the leader, or if the link is not
    /// connected. Two replicas may be leaders for the length of one lease, because leadership only saves work and is never needed for safety. If the store
    /// cannot decide, for example because it refuses writes, an implementation throws any exception. Then each replica acts as the leader, as without a store.
    /// </summary>
    /// <param name="role">The role.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    ValueTask<TimeSpan> LeadAsync(string role, CancellationToken cancellationToken);

    /// <summary>Gets the current status of the link.</summary>
    PeerLinkStatus Status { get; }
}

/// <summary>Holds facts that a link has received.</summary>
/// <param name="Facts">The facts; their remaining times count from now.</param>
/// <param name="IsComplete">True if these are all valid facts. The replica then publishes its own missing facts again.</param>
public sealed record PeerNews(IReadOnlyList<PeerFact> Facts, bool IsComplete);

/// <summary>Describes the status of a link. Immutable.</summary>
public sealed record PeerLinkStatus
{
    /// <summary>Gets whether the store has answered recently.</summary>
    public required bool IsConnected { get; init; }

    /// <summary>Gets how long ago the store last answered. Null before its first answer.</summary>
    public TimeSpan? Age { get; init; }

    /// <summary>Gets how long the store's latest answer took. Null before its first answer.</summary>
    public TimeSpan? Lag { get; init; }

    /// <summary>Gets the reason why the link is not connected, without secrets. Null if it is connected.</summary>
    public string? Problem { get; init; }
}

/// <summary>Describes the pool whose facts a link carries. Immutable.</summary>
public sealed record PeerScope
{
    /// <summary>Gets the application and its environment (<see cref="SharingOptions.Name"/>). Null: not set.</summary>
    public string? Name { get; init; }

    /// <summary>Gets the pool's name.</summary>
    public required string Pool { get; init; }

    /// <summary>Gets the name of this replica, which differs from the names of all other replicas.</summary>
    public required string Replica { get; init; }

    /// <summary>Gets the pool's clock.</summary>
    public required TimeProvider Time { get; init; }
}
