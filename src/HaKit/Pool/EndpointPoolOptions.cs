using HaKit.Failover;
using HaKit.Faults;
using HaKit.Health;
using HaKit.Heartbeats;
using HaKit.Limits;
using HaKit.Peers;
using HaKit.Pool;
using HaKit.Selection;
using Microsoft.Extensions.Options;

namespace HaKit;

/// <summary>
/// A pool as it is written in code or in configuration. Times have the defaults that suit calls to language models. Not thread-safe; the pool takes a copy, which later changes do not reach.
/// </summary>
public sealed class EndpointPoolOptions
{
    /// <summary>The members; at least one unless <see cref="AllowEmpty"/> is set, each with a name of its own.</summary>
    public IList<EndpointOptions> Endpoints { get; set; } = [];

    /// <summary>Whether the pool may begin and become empty, because code or service discovery adds its endpoints. Default false: an empty pool is a mistake.</summary>
    public bool AllowEmpty { get; set; }

    /// <summary>The base address that SDKs are given; the serving endpoint's replaces it. Default: the first endpoint's address.</summary>
    public string? Origin { get; set; }

    /// <summary>The deadline of a call: to the first content of a stream, to the whole answer otherwise. Default 100 s.</summary>
    public TimeoutOptions TotalRequestTimeout { get; set; } = new() { Timeout = TimeSpan.FromSeconds(100) };

    /// <summary>Bound on one attempt. Default: none but the deadline and the first-content limit.</summary>
    public TimeoutOptions? AttemptTimeout { get; set; }

    /// <summary>Bound on connecting. Default 2 s.</summary>
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>Bound on the silence before the first content.</summary>
    public FirstContentOptions FirstContent { get; set; } = new();

    /// <summary>How endpoints are chosen.</summary>
    public SelectionOptions Selection { get; set; } = new();

    /// <summary>Limits that all endpoints of an account share, by the account's name.</summary>
    public IDictionary<string, LimitOptions> AccountLimits { get; set; } = new Dictionary<string, LimitOptions>(StringComparer.Ordinal);

    /// <summary>When the pool is too small or too large for its load.</summary>
    public ScaleOptions Scale { get; set; } = new();

    /// <summary>Attempts and backoff.</summary>
    public RetryOptions Retry { get; set; } = new();

    /// <summary>How streams are held and watched.</summary>
    public StreamingOptions Streaming { get; set; } = new();

    /// <summary>What is kept of requests and answers over HTTP.</summary>
    public HttpOptions Http { get; set; } = new();

    /// <summary>A second attempt beside a slow one. Off by default.</summary>
    public HedgingOptions Hedging { get; set; } = new();

    /// <summary>The budget that retries and hedges share.</summary>
    public RetryBudgetOptions RetryBudget { get; set; } = new();

    /// <summary>When an endpoint is ejected, and for how long.</summary>
    public HealthOptions CircuitBreaker { get; set; } = new();

    /// <summary>How endpoints are asked how they are.</summary>
    public HeartbeatOptions Heartbeat { get; set; } = new();

    /// <summary>How often actions run that are to bring an ejected endpoint back.</summary>
    public RecoveryOptions Recovery { get; set; } = new();

    /// <summary>
    /// How long a call may wait while nothing can serve it, unless its profile says otherwise. Default null: to its deadline; 0: it fails at once, with the time
    /// to come back.
    /// </summary>
    public TimeSpan? MaxWait { get; set; }

    /// <summary>Calls that may wait at once; more are refused. Default 1,000; at least 0.</summary>
    public int MaxWaitingCalls { get; set; } = 1000;

    /// <summary>The objective for the error budget and its alerts. Default: none, and no alerts; reports then measure by 99.9 % over 30 days.</summary>
    public ObjectiveOptions? Objective { get; set; }

    /// <summary>What is shared with the other replicas of the application, if the pool has a link to them.</summary>
    public SharingOptions Sharing { get; set; } = new();

    /// <summary>
    /// Decides what is done about a fault, where it shall be other than usual. Default null: the usual; a null answer or an exception keeps the usual too. Asked
    /// after each failed attempt, on any thread. It cannot repeat what was partly delivered, what the caller cancelled, or what may have been done for a request
    /// that may not be repeated. Only code can set it.
    /// </summary>
    /// <example><code>options.OnFault = (fault, profile) => fault.Kind == FaultKind.ServerError ? FaultAction.Return : null;</code></example>
    public Func<Fault, RequestProfile, FaultAction?>? OnFault { get; set; }

    /// <summary>Seed of everything random, for tests that must repeat. Default: none, a fresh one.</summary>
    public long? Seed { get; set; }

    /// <summary>The least of the token limits of endpoints and accounts; null where there is none.</summary>
    internal int? LeastTokenLimit() => Endpoints.Select(static e => e.Limits).Concat(AccountLimits.Values).Min(static l => l?.TokensPerMinute);

    internal EndpointPoolOptions With(IList<EndpointOptions> endpoints)
    {
        var options = (EndpointPoolOptions)MemberwiseClone();
        options.Endpoints = endpoints;
        return options;
    }

    /// <summary>
    /// A copy that later changes of this one do not reach: the pool validates the copy and uses it, so that nothing takes effect unvalidated.
    /// Groups that are null stay null; <see cref="Validate"/> reports them.
    /// </summary>
    internal EndpointPoolOptions Copy()
    {
        var copy = (EndpointPoolOptions)MemberwiseClone();
        copy.Endpoints = Endpoints is null ? null! : [.. Endpoints.Select(static e => e?.Copy()!)];
        copy.AccountLimits = AccountLimits is null ? null! : AccountLimits.ToDictionary(static l => l.Key, static l => l.Value?.Copy()!, StringComparer.Ordinal);
        copy.TotalRequestTimeout = TotalRequestTimeout?.Copy()!;
        copy.AttemptTimeout = AttemptTimeout?.Copy();
        copy.FirstContent = FirstContent?.Copy()!;
        copy.Selection = Selection?.Copy()!;
        copy.Scale = Scale?.Copy()!;
        copy.Retry = Retry?.Copy()!;
        copy.Streaming = Streaming?.Copy()!;
        copy.Http = Http?.Copy()!;
        copy.Hedging = Hedging?.Copy()!;
        copy.RetryBudget = RetryBudget?.Copy()!;
        copy.CircuitBreaker = CircuitBreaker?.Copy()!;
        copy.Heartbeat = Heartbeat?.Copy()!;
        copy.Recovery = Recovery?.Copy()!;
        copy.Sharing = Sharing?.Copy()!;
        copy.Objective = Objective?.Copy();
        return copy;
    }

    /// <summary>Finds everything that is wrong; each message names the setting and the value. Empty when all is well.</summary>
    /// <param name="pool">The pool's name, for the messages.</param>
    public IReadOnlyList<string> Validate(string pool) => EndpointPoolOptionsValidation.Validate(pool, this);
}

/// <summary>Refuses bad options at start-up, all at once.</summary>
internal sealed class EndpointPoolOptionsValidator : IValidateOptions<EndpointPoolOptions>
{
    public ValidateOptionsResult Validate(string? name, EndpointPoolOptions options)
    {
        var wrong = options.Validate(name ?? "");
        return wrong.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(wrong);
    }
}
