namespace HaKit.Peers;

/// <summary>
/// Wraps a link that may throw although it must not, because it may be the application's code. The exchange uses the link on the thread of a timer, where an
/// exception would end the process. A link that throws counts as not connected, and the pool works alone. Thread-safe.
/// </summary>
internal sealed class GuardedLink(IPeerLink link) : IPeerLink
{
    private volatile string? _thrown;

    public PeerLinkStatus Status
    {
        get
        {
            try
            {
                return _thrown is { } type ? Failed(type) : link.Status;
            }
#pragma warning disable CA1031 // The exception of the application's code is the problem of the link, and not of the pool.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                return Failed(exception.GetType().Name);
            }
        }
    }

    public void Start(Action<PeerNews> listener) => link.Start(listener);

    public void Publish(IReadOnlyList<PeerFact> facts)
    {
        try
        {
            link.Publish(facts);
            _thrown = null;
        }
#pragma warning disable CA1031 // The facts of this message are published again after the link has read all facts.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            _thrown = exception.GetType().Name;
        }
    }

    public ValueTask<TimeSpan> LeadAsync(string role, CancellationToken cancellationToken) => link.LeadAsync(role, cancellationToken);

    public void Dispose() => link.Dispose();

    // The message of the exception may contain a secret, such as a password of the store.
    private static PeerLinkStatus Failed(string type) => new() { IsConnected = false, Problem = $"The link threw {type}." };
}
