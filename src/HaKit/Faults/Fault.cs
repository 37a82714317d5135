namespace HaKit.Faults;

/// <summary>
/// What a failed attempt means: was the work applied, whose fault was it, how far does it reach, and when may we come back.
/// Immutable, safe to share between threads. Carries no message of a provider, because those quote keys and prompts.
/// </summary>
public sealed record Fault
{
    /// <summary>A fault of the given kind with the four answers that kind usually has; refine them with <c>with</c>.</summary>
    /// <param name="kind">What happened.</param>
    public Fault(FaultKind kind)
    {
        Kind = kind;
        (Applied, Blame, Reach) = FaultKinds.Usual(kind);
    }

    /// <summary>What happened, in one word; also the value of <c>error.type</c> in telemetry.</summary>
    public FaultKind Kind { get; }

    /// <summary>Was work done, and perhaps billed?</summary>
    public FaultApplied Applied { get; init; }

    /// <summary>Whose fault is it? Request and Caller are neutral for health.</summary>
    public FaultBlame Blame { get; init; }

    /// <summary>Which endpoints share it?</summary>
    public FaultReach Reach { get; init; }

    /// <summary>How long the server asked us to stay away, counted from the moment of the answer; <see langword="null"/> when it said nothing. Never negative.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>Does it last until an operator or a successful probe of the same level says otherwise (an exhausted quota, a revoked key)?</summary>
    public bool UntilCleared { get; init; }

    /// <summary>The HTTP status, or 0 when there was none.</summary>
    public int StatusCode { get; init; }

    /// <summary>The provider's own error code or type, if it is a plain token of at most 64 characters; otherwise <see langword="null"/>.</summary>
    public string? Code { get; init; }

    /// <summary>Does it count for or against no endpoint?</summary>
    public bool IsNeutral => Blame is FaultBlame.Request or FaultBlame.Caller;

    /// <summary>The kind's name, written out once for all.</summary>
    internal string KindName => FaultKinds.Names[(int)Kind];

    /// <summary>Is it a failure to connect at all, so that nothing was sent?</summary>
    public bool IsConnectClass => Kind is FaultKind.ConnectFailed or FaultKind.DnsFailed or FaultKind.TlsFailed or FaultKind.ConnectTimeout;

    /// <inheritdoc/>
    public override string ToString() => (StatusCode, Code) switch
    {
        (0, null) => $"{Kind}",
        (0, _) => $"{Kind} ({Code})",
        (_, null) => $"{Kind} ({StatusCode})",
        _ => $"{Kind} ({StatusCode} {Code})",
    };
}

/// <summary>Was work done, and perhaps billed?</summary>
public enum FaultApplied
{
    /// <summary>The request never left: connect, DNS, TLS, an open breaker. Always repeatable.</summary>
    NotSent,

    /// <summary>The endpoint said no before doing the work: 429, 503, 529, most 4xx.</summary>
    Rejected,

    /// <summary>Nobody knows: a timeout or reset after sending, 500, 502, 504.</summary>
    Ambiguous,

    /// <summary>Content was already delivered to the caller.</summary>
    Partial,
}

/// <summary>Whose fault is it?</summary>
public enum FaultBlame
{
    /// <summary>The endpoint's: 5xx, connect, timeout, reset, a broken body, anything unknown.</summary>
    Endpoint,

    /// <summary>The endpoint is well but has had enough of us: 429, quota.</summary>
    Throttle,

    /// <summary>The request is wrong and would be wrong elsewhere too. Neutral for health.</summary>
    Request,

    /// <summary>The caller went away, or its deadline passed. Neutral for health.</summary>
    Caller,
}

/// <summary>Which endpoints share a fault? Each value names the property of <see cref="FailureDomains"/> that must be equal.</summary>
public enum FaultReach
{
    /// <summary>This endpoint only.</summary>
    Endpoint,

    /// <summary>Every endpoint that uses the same key.</summary>
    Key,

    /// <summary>Every endpoint of the same account (quota, billing).</summary>
    Account,

    /// <summary>Every endpoint that serves the same model of the same provider.</summary>
    Model,

    /// <summary>Every endpoint of the same provider.</summary>
    Provider,

    /// <summary>Every endpoint in the same region of the same provider.</summary>
    Region,

    /// <summary>Every endpoint that draws on the same rate limit: same account, model and region. Another model or account is not held back.</summary>
    RateLimit,
}

/// <summary>What happened to an attempt.</summary>
public enum FaultKind
{
    /// <summary>Something that fits no other word; blamed on the endpoint.</summary>
    Unknown,

    /// <summary>No TCP connection: refused, unreachable, reset while connecting.</summary>
    ConnectFailed,

    /// <summary>The TCP connection took too long.</summary>
    ConnectTimeout,

    /// <summary>The name did not resolve.</summary>
    DnsFailed,

    /// <summary>The TLS handshake or the certificate failed.</summary>
    TlsFailed,

    /// <summary>A circuit breaker or limiter in the endpoint's pipeline refused the attempt.</summary>
    BreakerOpen,

    /// <summary>No first content within the endpoint's own time (silence), or cancelled by us after a silence longer than usual.</summary>
    FirstContentTimeout,

    /// <summary>The whole attempt took longer than the endpoint's attempt timeout.</summary>
    AttemptTimeout,

    /// <summary>Content stopped flowing for longer than the idle timeout.</summary>
    IdleTimeout,

    /// <summary>The connection broke after the request was sent.</summary>
    ConnectionReset,

    /// <summary>An answer that cannot be read: empty, cut, not of its dialect, an error dressed as success.</summary>
    BrokenBody,

    /// <summary>500, 502, 504 and other server errors.</summary>
    ServerError,

    /// <summary>503, 529: healthy but overloaded.</summary>
    Overloaded,

    /// <summary>Too many requests or tokens for now.</summary>
    Throttled,

    /// <summary>Quota, credit or spend limit used up; waiting a little does not help.</summary>
    QuotaExhausted,

    /// <summary>401, a bad or revoked key.</summary>
    Unauthorized,

    /// <summary>403 that is not about the content.</summary>
    Forbidden,

    /// <summary>The model or deployment does not exist here (404 with a model code, 410 retired).</summary>
    ModelNotFound,

    /// <summary>400, 422 and other faults of the request itself.</summary>
    InvalidRequest,

    /// <summary>413: too many bytes.</summary>
    RequestTooLarge,

    /// <summary>The prompt does not fit the model's context window; a larger one could serve it.</summary>
    ContextLength,

    /// <summary>A content filter refused the prompt or the answer.</summary>
    ContentFilter,

    /// <summary>The caller cancelled.</summary>
    CallerCancelled,

    /// <summary>The caller's deadline passed.</summary>
    DeadlineExceeded,

    /// <summary>Another attempt of the same call was quicker.</summary>
    Superseded,

    /// <summary>The answer ended after some content and before its end.</summary>
    PartialResponse,
}

internal static class FaultKinds
{
    public static readonly string[] Names = Enum.GetNames<FaultKind>();

    public static (FaultApplied, FaultBlame, FaultReach) Usual(FaultKind kind) => kind switch
    {
        FaultKind.ConnectFailed or FaultKind.ConnectTimeout or FaultKind.DnsFailed or FaultKind.TlsFailed or FaultKind.BreakerOpen
            => (FaultApplied.NotSent, FaultBlame.Endpoint, FaultReach.Endpoint),
        FaultKind.Overloaded or FaultKind.ModelNotFound
            => (FaultApplied.Rejected, FaultBlame.Endpoint, FaultReach.Endpoint),
        FaultKind.Unauthorized or FaultKind.Forbidden
            => (FaultApplied.Rejected, FaultBlame.Endpoint, FaultReach.Key),
        FaultKind.Throttled
            => (FaultApplied.Rejected, FaultBlame.Throttle, FaultReach.Endpoint),
        FaultKind.QuotaExhausted
            => (FaultApplied.Rejected, FaultBlame.Throttle, FaultReach.Account),
        FaultKind.InvalidRequest or FaultKind.RequestTooLarge or FaultKind.ContextLength or FaultKind.ContentFilter
            => (FaultApplied.Rejected, FaultBlame.Request, FaultReach.Endpoint),
        FaultKind.CallerCancelled or FaultKind.DeadlineExceeded or FaultKind.Superseded
            => (FaultApplied.Ambiguous, FaultBlame.Caller, FaultReach.Endpoint),
        FaultKind.PartialResponse
            => (FaultApplied.Partial, FaultBlame.Endpoint, FaultReach.Endpoint),
        _ => (FaultApplied.Ambiguous, FaultBlame.Endpoint, FaultReach.Endpoint),
    };
}
