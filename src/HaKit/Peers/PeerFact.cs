using HaKit.Faults;
using HaKit.Health;

namespace HaKit.Peers;

/// <summary>The kind of a <see cref="PeerFact"/>.</summary>
public enum PeerFactKind
{
    /// <summary>A kind of a later version; the fact is ignored.</summary>
    Unknown,

    /// <summary>A server named the time after which it may be asked again (<c>Retry-After</c>).</summary>
    Cooldown,

    /// <summary>The opinion of a replica, by its own evidence, whether an endpoint serves.</summary>
    Opinion,

    /// <summary>A replica's trial of an ejected endpoint has begun, so that the other replicas may wait a short time for its result.</summary>
    TrialBegun,

    /// <summary>A replica's trial of an ejected endpoint failed.</summary>
    TrialFailed,

    /// <summary>A replica's trial of an ejected endpoint succeeded.</summary>
    Recovered,

    /// <summary>An operator's order.</summary>
    Order,

    /// <summary>The amount of a limit that a replica used in the last 60 s.</summary>
    Usage,
}

/// <summary>One replica's opinion about an endpoint, from its own evidence.</summary>
public enum PeerOpinion
{
    /// <summary>No opinion: the replica has not called the endpoint recently, or its latest attempts failed, but too few to eject the endpoint.</summary>
    None,

    /// <summary>The latest attempt or probe succeeded.</summary>
    Serves,

    /// <summary>The replica has ejected the endpoint.</summary>
    Ejected,
}

/// <summary>
/// Represents one fact that a replica publishes to the other replicas of the same pool. Immutable; safe to share between threads. It contains names of
/// endpoints and replicas, kinds and times; never a key, a prompt, an address or a provider's message.
/// </summary>
public sealed record PeerFact
{
    /// <summary>The format that this version writes. Format 2 adds <see cref="PeerFactKind.Usage"/> to format 1.</summary>
    public const int CurrentFormat = 2;

    /// <summary>Gets the number of the format. A reader of a later format uses the members that it supports and ignores the others.</summary>
    public int Format { get; init; } = CurrentFormat;

    /// <summary>Gets the kind of the fact.</summary>
    public required PeerFactKind Kind { get; init; }

    /// <summary>Gets the subject: an endpoint's name, the pool (empty), or a keyed hash of what a cooldown affects.</summary>
    public required string Subject { get; init; }

    /// <summary>Gets the replica that published the fact.</summary>
    public required string Replica { get; init; }

    /// <summary>Gets the version. It puts the facts of one replica in order. For an operator's order, it puts the orders of the whole fleet in order.</summary>
    public long Version { get; init; }

    /// <summary>Gets how long the fact holds, from the moment at which it became true.</summary>
    public required TimeSpan Length { get; init; }

    /// <summary>Gets how much of <see cref="Length"/> is left. It changes with time, so it is not a part of the fact's identity.</summary>
    public TimeSpan Left { get; init; }

    /// <summary>
    /// Gets, for an opinion, a keyed hash of the address, model, credential and time limits with which the replica calls the endpoint. Only opinions with the
    /// same hash are counted together.
    /// </summary>
    public string? Fingerprint { get; init; }

    /// <summary>Gets, for an opinion, what the replica found.</summary>
    public PeerOpinion Opinion { get; init; }

    /// <summary>Gets, for an opinion, the level that the evidence tested; for an ejection, the level that the fault affects.</summary>
    public ProbeLevel Level { get; init; }

    /// <summary>Gets the fault. Null: none.</summary>
    public FaultKind? Fault { get; init; }

    /// <summary>Gets, for a cooldown, the reach of the fault.</summary>
    public FaultReach Reach { get; init; }

    /// <summary>Gets the HTTP status of the fault. 0: none.</summary>
    public int StatusCode { get; init; }

    /// <summary>Gets, for usage, the requests of the last 60 s.</summary>
    public long Requests { get; init; }

    /// <summary>Gets, for usage, the tokens of the last 60 s.</summary>
    public long Tokens { get; init; }

    /// <summary>Gets, for an order, the order.</summary>
    public SignedOrder? Order { get; init; }

    /// <summary>
    /// Gets whether the fact replaces the previous fact of the same kind, subject and replica. A store then need not keep both facts. False for orders and
    /// cooldowns, which hold for all replicas together, so a store keeps all of them.
    /// </summary>
    public bool ReplacesPrevious => Kind is not (PeerFactKind.Order or PeerFactKind.Cooldown);

    /// <summary>Gets the key. Facts with the same key replace each other; see <see cref="PeerMerge"/>.</summary>
    internal PeerFactKey Key => new(Kind, Subject, ReplacesPrevious ? Replica : "");
}

/// <summary>Represents an operator's order with its signature. Immutable.</summary>
/// <param name="Order">The order.</param>
/// <param name="Tier">The tier, for a promotion.</param>
/// <param name="By">The operator's name, as the application gave it.</param>
/// <param name="Reason">The reason. Null: none was given.</param>
/// <param name="GivenAt">The time of the order, by the wall clock of the replica that received it. It is only for display.</param>
/// <param name="Signature">The HMAC-SHA256 of all other values with the fleet's key, in base64.</param>
public sealed record SignedOrder(PoolOrder Order, int? Tier, string By, string? Reason, DateTimeOffset GivenAt, string Signature);

/// <summary>The key of a fact. Facts with the same key replace each other.</summary>
internal readonly record struct PeerFactKey(PeerFactKind Kind, string Subject, string Replica);
