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
/// Describes a pool in code or in configuration. The default times suit calls to language models. Each group of settings, such as <see cref="Retry"/>, has the
/// defaults of its own type. Not thread-safe; the pool takes a copy, which later changes do not affect.
/// </summary>
public sealed class EndpointPoolOptions
{
    /// <summary>Gets or sets the endpoints, each with a unique name; at least one unless <see cref="AllowEmpty"/> is set.</summary>
    public IList<EndpointOptions> Endpoints { get; set; } = [];

    /// <summary>
    /// Gets or sets whether the pool may have no endpoints, because code or service discovery adds them later. Default false: an empty pool is a mistake.
    /// </summary>
    public bool AllowEmpty { get; set; }

    /// <summary>Gets or sets the base address to give to SDKs; the serving endpoint's address replaces it. Default: the first endpoint's address. A reload does not change it.</summary>
    public string? Origin { get; set; }

    /// <summary>
    /// Gets or sets the deadline of a call: for a stream until the first content, otherwise until the whole answer. Default 100 s; more than 0, at
    /// most 10 years.
    /// </summary>
    public TimeoutOptions TotalRequestTimeout { get; set; } = new() { Timeout = TimeSpan.FromSeconds(100) };

    /// <summary>
    /// Gets or sets the time limit of one attempt; more than 0 and not longer than the deadline. Default: none; the deadline and the first-content limit still
    /// apply.
    /// </summary>
    public TimeoutOptions? AttemptTimeout { get; set; }

    /// <summary>Gets or sets the time limit for opening a connection. Default 2 s; more than 0, at most a day. A reload changes it only for clients that are created later.</summary>
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>Gets or sets the limit on the silence before the first content.</summary>
    public FirstContentOptions FirstContent { get; set; } = new();

    /// <summary>Gets or sets how endpoints are chosen.</summary>
    public SelectionOptions Selection { get; set; } = new();

    /// <summary>
    /// Gets or sets limits that all endpoints of an account share, by the account's name. Each account must be the <see cref="EndpointOptions.Account"/> of an
    /// endpoint, unless <see cref="AllowEmpty"/> is set. Default: none.
    /// </summary>
    public IDictionary<string, LimitOptions> AccountLimits { get; set; } = new Dictionary<string, LimitOptions>(StringComparer.Ordinal);

    /// <summary>Gets or sets when the pool counts as too small or too large for its load.</summary>
    public ScaleOptions Scale { get; set; } = new();

    /// <summary>Gets or sets the attempts and the backoff.</summary>
    public RetryOptions Retry { get; set; } = new();

    /// <summary>Gets or sets how much of a stream is held back, and how silences and cuts are handled.</summary>
    public StreamingOptions Streaming { get; set; } = new();

    /// <summary>Gets or sets how requests and answers over HTTP are handled.</summary>
    public HttpOptions Http { get; set; } = new();

    /// <summary>Gets or sets whether and when a hedge (a second attempt beside a slow attempt) starts. Off by default.</summary>
    public HedgingOptions Hedging { get; set; } = new();

    /// <summary>Gets or sets the budget that retries and hedges share.</summary>
    public RetryBudgetOptions RetryBudget { get; set; } = new();

    /// <summary>Gets or sets when an endpoint is ejected, and for how long.</summary>
    public HealthOptions CircuitBreaker { get; set; } = new();

    /// <summary>Gets or sets how the pool probes its endpoints.</summary>
    public HeartbeatOptions Heartbeat { get; set; } = new();

    /// <summary>Gets or sets how often recovery actions run.</summary>
    public RecoveryOptions Recovery { get; set; } = new();

    /// <summary>
    /// Gets or sets how long a call may wait while no endpoint can serve it, unless its profile has its own limit. Default null: until its deadline. With 0 the
    /// call fails at once, and <see cref="EndpointPoolException.RetryAfter"/> is the time after which the caller may try again. 0 to 10 years.
    /// </summary>
    public TimeSpan? MaxWait { get; set; }

    /// <summary>
    /// Gets or sets how many calls may wait at once. Further calls are refused, unless a call with a lower <see cref="RequestProfile.Priority"/> waits: this call is
    /// then refused instead. Default 1,000; 0 to 1,000,000. A reload does not change it.
    /// </summary>
    public int MaxWaitingCalls { get; set; } = 1000;

    /// <summary>Gets or sets the objective for the error budget and its alerts. Default: none, and no alerts; reports then use 99.9 % over 30 days.</summary>
    public ObjectiveOptions? Objective { get; set; }

    /// <summary>Gets or sets what is shared with the other replicas of the application, if the pool has a link to them.</summary>
    public SharingOptions Sharing { get; set; } = new();

    /// <summary>
    /// Gets or sets your own rule for the action of a call after a fault. Default null: the usual action. If the rule returns null or throws, the usual action
    /// applies too. The rule runs after each failed attempt, on any thread. The rule cannot make the pool repeat a call that was partly delivered, that the
    /// caller cancelled, or that may have been processed and must not be repeated. The property can be set only in code.
    /// </summary>
    /// <example><code>options.OnFault = (fault, profile) => fault.Kind == FaultKind.ServerError ? FaultAction.Return : null;</code></example>
    public Func<Fault, RequestProfile, FaultAction?>? OnFault { get; set; }

    /// <summary>Gets or sets the seed of all random numbers, for reproducible tests. Default: none, a new random seed. A reload does not change it.</summary>
    public long? Seed { get; set; }

    /// <summary>Gets or sets whether endpoints were removed from the running pool. An account with limits may then have no endpoint for a while.</summary>
    internal bool HasRemovedEndpoints { get; set; }

    /// <summary>Checks whether an endpoint or an account has a limit on tokens.</summary>
    internal bool HasTokenLimit() => Endpoints.Select(static e => e.Limits).Concat(AccountLimits.Values).Any(static l => l?.TokensPerMinute is not null);

    internal EndpointPoolOptions With(IList<EndpointOptions> endpoints)
    {
        var options = (EndpointPoolOptions)MemberwiseClone();
        options.Endpoints = endpoints;
        return options;
    }

    /// <summary>
    /// Creates a copy that later changes of this object do not affect. The pool validates the copy and uses it, so that no unvalidated value takes effect.
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

    /// <summary>Finds all mistakes; each message names the setting and the value. Empty if there are none.</summary>
    /// <param name="pool">The pool's name, for the messages.</param>
    public IReadOnlyList<string> Validate(string pool) => EndpointPoolOptionsValidation.Validate(pool, Copy()); // in the copy, a list of names, tags or headers is empty instead of null
}

/// <summary>Reports all invalid options at start-up, in one message.</summary>
internal sealed class EndpointPoolOptionsValidator : IValidateOptions<EndpointPoolOptions>
{
    public ValidateOptionsResult Validate(string? name, EndpointPoolOptions options)
    {
        if (name is { Length: 0 })
        {
            return ValidateOptionsResult.Fail(
                "EndpointPoolOptions without a name belong to no pool, because pools have names. Ask for IOptionsMonitor<EndpointPoolOptions> in place of IOptions or CurrentValue, and call Get with the name of the pool.");
        }
        var wrong = options.Validate(name ?? "");
        return wrong.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(wrong);
    }
}
