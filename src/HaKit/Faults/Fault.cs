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

    /// <summary>Which other endpoints the call asks after this refusal. Default <see cref="SecondOpinion.None"/>.</summary>
    public SecondOpinion SecondOpinion { get; init; }

    /// <summary>
    /// Does it count against its endpoint only if another endpoint then serves the same call? Until then it is neutral: what one caller sends takes
    /// no endpoint away from another. Default false.
    /// </summary>
    public bool IsProvisional { get; init; }

    /// <summary>May the same endpoint be asked again in the same call? False if the server said <c>x-should-retry: false</c>. Default true.</summary>
    public bool MayAskAgain { get; init; } = true;

    /// <summary>The HTTP status, or 0 when there was none.</summary>
    public int StatusCode { get; init; }

    /// <summary>The provider's own error code or type, if it is a plain token of at most 64 characters; otherwise <see langword="null"/>.</summary>
    public string? Code { get; init; }

    /// <summary>
    /// What is particular about the request that was refused (media, tools, embeddings); null for an ordinary one. What an endpoint refuses of that kind takes
    /// nothing from callers of other kinds.
    /// </summary>
    internal string? OfRequestsWith { get; init; }

    /// <summary>Does it count for or against no endpoint?</summary>
    public bool IsNeutral => IsProvisional || Blame is FaultBlame.Request or FaultBlame.Caller;

    /// <summary>Did the endpoint refuse the request, so that it would refuse the same request again?</summary>
    internal bool IsRefusal => SecondOpinion != SecondOpinion.None || Blame == FaultBlame.Request;

    /// <summary>What a provisional refusal means once another endpoint has served the call: it was the endpoint's fault.</summary>
    internal Fault Refuted() => this with { IsProvisional = false, Blame = FaultBlame.Endpoint, Reach = FaultReach.Endpoint, UntilCleared = false };

    /// <summary>The kind's name, written out once for all.</summary>
    internal string KindName => FaultKinds.Names[(int)Kind];

    /// <summary>Did the endpoint name the time at which it wants to be asked again?</summary>
    internal bool NamesTime => RetryAfter > TimeSpan.Zero && !UntilCleared;

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
