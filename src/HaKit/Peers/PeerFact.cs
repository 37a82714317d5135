using HaKit.Faults;
using HaKit.Health;

namespace HaKit.Peers;

/// <summary>What a <see cref="PeerFact"/> tells.</summary>
public enum PeerFactKind
{
    /// <summary>A kind that this version does not know; it is ignored.</summary>
    Unknown,

    /// <summary>A server named a time to come back.</summary>
    Cooldown,

    /// <summary>Whether a replica's own evidence says that an endpoint serves.</summary>
    Opinion,

    /// <summary>A replica's trial of an ejected endpoint has begun, so that the others may wait a little for its outcome.</summary>
    TrialBegun,

    /// <summary>A replica's trial of an ejected endpoint failed.</summary>
    TrialFailed,

    /// <summary>A replica's trial of an ejected endpoint succeeded.</summary>
    Recovered,

    /// <summary>An operator's order.</summary>
    Order,

    /// <summary>What a replica took of a limit in the last 60 s.</summary>
    Usage,
}

/// <summary>What one replica's own evidence says about an endpoint.</summary>
public enum PeerOpinion
{
    /// <summary>Nothing: it has not asked lately, or its latest attempts failed and too few of them to eject.</summary>
    None,

    /// <summary>The latest attempt or probe succeeded.</summary>
    Serves,

    /// <summary>It has ejected the endpoint.</summary>
    Ejected,
}

/// <summary>
/// One thing that a replica publishes to the other replicas of the same pool. Immutable; safe to share between threads. It holds names of endpoints
/// and replicas, kinds and times: never a key, a prompt, an address or a provider's message.
/// </summary>
public sealed record PeerFact
{
    /// <summary>The format that this version writes. 2 adds <see cref="PeerFactKind.Usage"/>; all else is as in 1.</summary>
    public const int CurrentFormat = 2;

    /// <summary>The number of the format. A reader takes what it knows of a later format.</summary>
    public int Format { get; init; } = CurrentFormat;

    /// <summary>What it tells.</summary>
    public required PeerFactKind Kind { get; init; }

    /// <summary>What it is about: an endpoint's name, the pool (empty), or a keyed hash of what a cooldown reaches.</summary>
    public required string Subject { get; init; }

    /// <summary>The replica that published it.</summary>
    public required string Replica { get; init; }

    /// <summary>Orders the facts of one replica; of orders, those of the fleet.</summary>
    public long Version { get; init; }

    /// <summary>How long the fact holds, from the moment at which it became true.</summary>
    public required TimeSpan Length { get; init; }

    /// <summary>How much of <see cref="Length"/> is left. Not part of the fact's identity: it passes.</summary>
    public TimeSpan Left { get; init; }

    /// <summary>For opinions: a keyed hash of how the replica asks the endpoint. Only equal ones are counted together.</summary>
    public string? Fingerprint { get; init; }

    /// <summary>For opinions: what the replica found.</summary>
    public PeerOpinion Opinion { get; init; }

    /// <summary>For opinions: what the evidence exercised, or for an ejection what the fault concerns.</summary>
    public ProbeLevel Level { get; init; }

    /// <summary>The fault that was seen; null for none.</summary>
    public FaultKind? Fault { get; init; }

    /// <summary>For cooldowns: how far the fault reaches.</summary>
    public FaultReach Reach { get; init; }

    /// <summary>The HTTP status of the fault; 0 for none.</summary>
    public int StatusCode { get; init; }

    /// <summary>For usage: requests of the last 60 s.</summary>
    public long Requests { get; init; }

    /// <summary>For usage: tokens of the last 60 s.</summary>
    public long Tokens { get; init; }

    /// <summary>For orders: the order.</summary>
    public SignedOrder? Order { get; init; }

    /// <summary>Facts of the same key replace each other; see <see cref="PeerMerge"/>.</summary>
    internal PeerFactKey Key => new(Kind, Subject, Kind is PeerFactKind.Order or PeerFactKind.Cooldown ? "" : Replica);
}

/// <summary>An operator's order with what makes it credible. Immutable.</summary>
/// <param name="Order">The order.</param>
/// <param name="Tier">For promotions: the tier.</param>
/// <param name="By">The operator, as the application names the operator.</param>
/// <param name="Reason">Why; null for none.</param>
/// <param name="GivenAt">When, by the wall clock of the replica that took the order; shown, never calculated with.</param>
/// <param name="Signature">HMAC-SHA256 of all the rest by the fleet's key, in base64.</param>
public sealed record SignedOrder(PoolOrder Order, int? Tier, string By, string? Reason, DateTimeOffset GivenAt, string Signature);

/// <summary>What makes two facts two statements about the same thing.</summary>
internal readonly record struct PeerFactKey(PeerFactKind Kind, string Subject, string Replica);
