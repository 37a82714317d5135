namespace HaKit.Peers;

/// <summary>
/// Connects the replicas of one pool, for example through Redis. No call ever waits for a link: it publishes and listens beside the calls. If the link is
/// down, the pool works alone. Implementations must be thread-safe.
/// </summary>
public interface IPeerLink : IDisposable
{
    /// <summary>
    /// Starts to listen. The <paramref name="listener"/> gets all facts that hold, then new facts, and all facts again after each reconnect and whenever the
    /// store may have lost something. Called once. The listener never throws and may be called on any thread, one call at a time.
    /// </summary>
    /// <param name="listener">Receives the facts.</param>
    void Start(Action<PeerNews> listener);

    /// <summary>Publishes facts as one message. It must never wait and never throw. If facts cannot be sent yet, keep the last fact of each key.</summary>
    /// <param name="facts">The facts. The pool passes at most one message a second.</param>
    void Publish(IReadOnlyList<PeerFact> facts);

    /// <summary>
    /// Gets how long this replica may lead in a role. Zero if another replica leads or the store does not answer. Two replicas may lead for the length of one
    /// lease, because leadership only saves work and is never needed for safety.
    /// </summary>
    /// <param name="role">The role.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    ValueTask<TimeSpan> LeadAsync(string role, CancellationToken cancellationToken);

    /// <summary>Gets the current status of the link.</summary>
    PeerLinkStatus Status { get; }
}

/// <summary>Holds facts that a link has received.</summary>
/// <param name="Facts">The facts; their remaining times count from now.</param>
/// <param name="IsComplete">True if these are all facts that hold. The replica then publishes again what the store has lost.</param>
public sealed record PeerNews(IReadOnlyList<PeerFact> Facts, bool IsComplete);

/// <summary>Describes the status of a link. Immutable.</summary>
public sealed record PeerLinkStatus
{
    /// <summary>Gets whether the store answered lately.</summary>
    public required bool IsConnected { get; init; }

    /// <summary>Gets how long ago the store last answered. Null before its first answer.</summary>
    public TimeSpan? Age { get; init; }

    /// <summary>Gets how long its latest answer took. Null before its first answer.</summary>
    public TimeSpan? Lag { get; init; }

    /// <summary>Gets why the link is not connected, in words without secrets. Null if it is connected.</summary>
    public string? Problem { get; init; }
}

/// <summary>Describes the pool whose facts a link carries. Immutable.</summary>
public sealed record PeerScope
{
    /// <summary>Gets the application and its environment (<see cref="SharingOptions.Name"/>). Null: not set.</summary>
    public string? Name { get; init; }

    /// <summary>Gets the pool's name.</summary>
    public required string Pool { get; init; }

    /// <summary>Gets the name of this replica, different from every other.</summary>
    public required string Replica { get; init; }

    /// <summary>Gets the pool's clock.</summary>
    public required TimeProvider Time { get; init; }
}
