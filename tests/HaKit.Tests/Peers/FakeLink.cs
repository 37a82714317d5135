using HaKit.Peers;
using HaKit.Testing;

namespace HaKit.Tests.Peers;

/// <summary>A link whose news the test writes. It is connected and keeps what the pool publishes.</summary>
internal sealed class FakeLink : IPeerLink
{
    public const string OrderKey = "the fleet's own key";

    public PeerScope Scope { get; private set; } = null!;

    public Action<PeerNews> Tell { get; private set; } = null!;

    public List<PeerFact> Published { get; } = [];

    public Exception? FailureOfDisposal { get; init; }

    /// <summary>Gets or sets the exception that publishing throws, although a link must not throw.</summary>
    public Exception? FailureOfPublishing { get; set; }

    /// <summary>Gets or sets the exception that the status throws, although a link must not throw.</summary>
    public Exception? FailureOfStatus { get; set; }

    public PeerLinkStatus Status => FailureOfStatus is { } failure ? throw failure : new() { IsConnected = true };

    /// <summary>Creates a pool with this link.</summary>
    public EndpointPool NewPool(ManualTimeProvider time, Action<EndpointPoolOptions>? configure = null, Action<EndpointPoolParts>? parts = null)
    {
        var options = new EndpointPoolOptions { Seed = 1, AllowEmpty = true, Heartbeat = { Enabled = false } };
        (options.Sharing.Name, options.Sharing.OrderKey) = ("app/test", OrderKey);
        configure?.Invoke(options);
        var made = new EndpointPoolParts { TimeProvider = time, PeerLink = Connect };
        parts?.Invoke(made);
        return new EndpointPool("test", options, made);
    }

    /// <summary>Returns an order of another replica, signed with the fleet's key.</summary>
    public static PeerFact OrderOf(PoolOrder order, string subject = "", int? tier = null, long version = 1, string replica = "other", string key = OrderKey)
    {
        var length = TimeSpan.FromDays(90);
        var fact = new PeerFact
        {
            Kind = PeerFactKind.Order,
            Subject = subject,
            Replica = replica,
            Version = version,
            Length = length,
            Left = length,
            Order = new SignedOrder(order, tier, "Ada", null, default, ""),
        };
        return fact with { Order = fact.Order with { Signature = new OrderSignature(key, "app/test/test").Sign(fact) } };
    }

    public void Start(Action<PeerNews> listener) => Tell = listener;

    public void Publish(IReadOnlyList<PeerFact> facts)
    {
        if (FailureOfPublishing is { } failure)
            throw failure;
        Published.AddRange(facts);
    }

    public ValueTask<TimeSpan> LeadAsync(string role, CancellationToken cancellationToken) => new(TimeSpan.FromSeconds(10));

    public void Dispose()
    {
        if (FailureOfDisposal is { } failure)
            throw failure;
    }

    private FakeLink Connect(PeerScope scope)
    {
        Scope = scope;
        return this;
    }
}
