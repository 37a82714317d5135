namespace HaKit.Faults;

/// <summary>
/// Describes the meaning of a failed attempt: whether the endpoint did the work, the party that caused the failure, the affected endpoints, and the time to
/// wait before another attempt. Immutable; safe to share between threads. It contains no message of a provider, because messages quote keys and prompts.
/// </summary>
public sealed record Fault
{
    /// <summary>Creates a fault of the given kind. The other properties get the usual values of that kind; change them with a <c>with</c> expression.</summary>
    /// <param name="kind">The kind of the fault.</param>
    public Fault(FaultKind kind)
    {
        Kind = kind;
        (Applied, Blame, Reach) = FaultKinds.Usual(kind);
    }

    /// <summary>Gets the kind of the fault. It is also the value of <c>error.type</c> in telemetry.</summary>
    public FaultKind Kind { get; }

    /// <summary>Gets whether the endpoint did the work, and perhaps billed it.</summary>
    public FaultApplied Applied { get; init; }

    /// <summary>Gets the party that caused the fault. A fault of the request or the caller does not change the health of the endpoint.</summary>
    public FaultBlame Blame { get; init; }

    /// <summary>Gets which endpoints the fault affects.</summary>
    public FaultReach Reach { get; init; }

    /// <summary>
    /// Gets the time that the server asked clients to wait (<c>Retry-After</c>, a reset time), counted from the answer. Null: the server named no time. A time
    /// of zero or less has the same effect as null.
    /// </summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>
    /// Gets whether the fault has no known end. It lasts until a served trial, an operator, a changed key, or a successful probe clears it. The probe must test
    /// at least the part that failed (<see cref="ProbeLevel"/>). An exhausted quota and a revoked key are such faults.
    /// </summary>
    public bool UntilCleared { get; init; }

    /// <summary>Gets which other endpoints the call tries after this refusal. Default <see cref="SecondOpinion.None"/>.</summary>
    public SecondOpinion SecondOpinion { get; init; }

    /// <summary>
    /// Gets whether the fault counts against its endpoint only if another endpoint then serves the same call. Until then the fault is neutral, so that the bad
    /// requests of one caller do not eject an endpoint that other callers use. Default false.
    /// </summary>
    public bool IsProvisional { get; init; }

    /// <summary>
    /// Gets whether the call may try the same endpoint again. False if the server said <c>x-should-retry: false</c>. Default true.
    /// </summary>
    public bool MayAskAgain { get; init; } = true;

    /// <summary>Gets the HTTP status; 0 if there was none.</summary>
    public int StatusCode { get; init; }

    /// <summary>
    /// Gets the provider's own error code or type. The built-in classifier sets this property only to a plain token of at most 64 characters. A value that
    /// looks like a key becomes null, because some servers put the caller's key in the place of the code. The pool also removes a code that occurs in the
    /// endpoint's own headers or address, or in a credential that the attempt sent. If the application's source of credentials failed, the code is
    /// <c>credential_source_failed</c>.
    /// </summary>
    public string? Code
    {
        get;
        init => field = value is not null && ShownText.HasKey(value) ? null : value;
    }

    /// <summary>
    /// Gets the feature of the request (media, tools, embeddings) that is probably the reason for the refusal. The refusal then affects only requests with the
    /// same feature. Null if the endpoint itself is probably the reason.
    /// </summary>
    internal string? RequestFeature { get; init; }

    /// <summary>
    /// Gets whether a call must not wait for the endpoint, unless the endpoint named a time. True for a pool that serves as an endpoint, if waiting does not help
    /// any of its endpoints.
    /// </summary>
    internal bool DoesNotHeal { get; init; }

    /// <summary>Gets whether the fault counts neither for nor against an endpoint.</summary>
    public bool IsNeutral => IsProvisional || Blame is FaultBlame.Request or FaultBlame.Caller;

    /// <summary>Gets whether the endpoint refused the request. It would refuse the same request again.</summary>
    internal bool IsRefusal => SecondOpinion != SecondOpinion.None || Blame == FaultBlame.Request;

    /// <summary>Gets the fault that counts against the endpoint after another endpoint has served the call that this endpoint refused.</summary>
    internal Fault AsEndpointFault() => this with { IsProvisional = false, Blame = FaultBlame.Endpoint, Reach = FaultReach.Endpoint, UntilCleared = false };

    /// <summary>Gets whether the endpoint may have processed and billed the attempt.</summary>
    internal bool MayBeBilled => Applied is FaultApplied.Ambiguous or FaultApplied.Partial;

    /// <summary>Gets the name of the kind as a cached string.</summary>
    internal string KindName => FaultKinds.Names[(int)Kind];

    /// <summary>Gets whether the endpoint named the time after which it may be asked again (<see cref="RetryAfter"/>).</summary>
    internal bool NamesTime => RetryAfter > TimeSpan.Zero && !UntilCleared;

    /// <summary>Gets whether the connection failed. No part of the request was then sent.</summary>
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
        FaultKind.InvalidRequest or FaultKind.NotServed or FaultKind.RequestTooLarge or FaultKind.ContextLength or FaultKind.ContentFilter
            => (FaultApplied.Rejected, FaultBlame.Request, FaultReach.Endpoint),
        FaultKind.CallerCancelled or FaultKind.DeadlineExceeded or FaultKind.Superseded
            => (FaultApplied.Ambiguous, FaultBlame.Caller, FaultReach.Endpoint),
        FaultKind.PartialResponse
            => (FaultApplied.Partial, FaultBlame.Endpoint, FaultReach.Endpoint),
        _ => (FaultApplied.Ambiguous, FaultBlame.Endpoint, FaultReach.Endpoint),
    };
}
