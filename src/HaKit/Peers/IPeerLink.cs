namespace HaKit.Peers;

/// <summary>
/// The way between the replicas of one pool, for example through Redis. No call ever waits for it: a link publishes and listens beside the calls,
/// and a link that is down leaves the pool what it is alone. Thread-safe.
/// </summary>
public interface IPeerLink : IDisposable
{
    /// <summary>
    /// Begins to listen. <paramref name="listener"/> is told everything that holds, then what is new, and everything again after each reconnect and
    /// whenever the store may have lost something. Called once; the listener never throws and may be called on any thread, one call at a time.
    /// </summary>
    /// <param name="listener">Is told.</param>
    void Start(Action<PeerNews> listener);

    /// <summary>Publishes facts as one message. Never waits and never throws; of facts that cannot be sent yet, the last of a key is kept.</summary>
    /// <param name="facts">The facts; at most one message a second is handed over.</param>
    void Publish(IReadOnlyList<PeerFact> facts);

    /// <summary>
    /// How long this replica may lead in a role; zero if another replica leads or the store is silent. Two leaders are possible for the length of one
    /// lease: leadership saves work and is never needed for safety.
    /// </summary>
    /// <param name="role">The role.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    ValueTask<TimeSpan> LeadAsync(string role, CancellationToken cancellationToken);

    /// <summary>How the link is at this moment.</summary>
    PeerLinkStatus Status { get; }
}

/// <summary>What a link has heard.</summary>
/// <param name="Facts">The facts; what is left of their times counts from now.</param>
/// <param name="IsComplete">Is it everything that holds? Then a replica publishes again what it knows and the store has lost.</param>
public sealed record PeerNews(IReadOnlyList<PeerFact> Facts, bool IsComplete);

/// <summary>How a link is. Immutable.</summary>
public sealed record PeerLinkStatus
{
    /// <summary>Did the store answer lately?</summary>
    public required bool IsConnected { get; init; }

    /// <summary>How long ago the store last answered; null before its first answer.</summary>
    public TimeSpan? Age { get; init; }

    /// <summary>How long its latest answer took; null before its first answer.</summary>
    public TimeSpan? Lag { get; init; }

    /// <summary>Why it is not connected, in words without secrets; null when it is.</summary>
    public string? Problem { get; init; }
}

/// <summary>Whose facts a link carries. Immutable.</summary>
public sealed record PeerScope
{
    /// <summary>The application and its environment, as <see cref="SharingOptions.Name"/> says; null when it does not.</summary>
    public string? Name { get; init; }

    /// <summary>The pool's name.</summary>
    public required string Pool { get; init; }

    /// <summary>This replica, different from every other.</summary>
    public required string Replica { get; init; }

    /// <summary>The pool's clock.</summary>
    public required TimeProvider Time { get; init; }
}
