using HaKit.Failover;
using HaKit.Health;
using HaKit.Heartbeats;
using HaKit.Http;
using HaKit.Limits;
using HaKit.Selection;
using Microsoft.Extensions.Options;

namespace HaKit;

/// <summary>
/// A pool as it is written in code or in configuration. Times have the defaults that suit calls to language models. Not thread-safe; read once when the pool takes it.
/// </summary>
public sealed class EndpointPoolOptions
{
    /// <summary>The members; at least one, each with a name of its own.</summary>
    public IList<EndpointOptions> Endpoints { get; set; } = [];

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

    /// <summary>Calls that may wait at once; more are refused. Default 1,000; at least 0.</summary>
    public int MaxWaitingCalls { get; set; } = 1000;

    /// <summary>The objective for the error budget and its alerts. Default: none, and no alerts; reports then measure by 99.9 % over 30 days.</summary>
    public ObjectiveOptions? Objective { get; set; }

    /// <summary>Seed of everything random, for tests that must repeat. Default: none, a fresh one.</summary>
    public long? Seed { get; set; }

    internal EndpointPoolOptions With(IList<EndpointOptions> endpoints)
    {
        var options = (EndpointPoolOptions)MemberwiseClone();
        options.Endpoints = endpoints;
        return options;
    }

    /// <summary>Everything that is wrong, each naming the setting and the value; empty when all is well.</summary>
    /// <param name="pool">The pool's name, for the messages.</param>
    public IReadOnlyList<string> Validate(string pool)
    {
        var path = $"Pool '{pool}'";
        var wrong = new List<string>();
        if (string.IsNullOrWhiteSpace(pool))
            wrong.Add($"The pool's name is '{pool}': a pool needs a name.");
        if (Endpoints.Count == 0)
            wrong.Add($"{path}: Endpoints is empty: a pool needs at least one endpoint.");
        for (var i = 0; i < Endpoints.Count; i++)
            wrong.AddRange(Endpoints[i].Validate($"{path}: Endpoints:{i}"));
        foreach (var same in Endpoints.Where(e => !string.IsNullOrWhiteSpace(e.Name)).GroupBy(e => e.Name, StringComparer.Ordinal).Where(g => g.Count() > 1))
            wrong.Add($"{path}: Endpoints has {same.Count()} endpoints of the name '{same.Key}': each needs a name of its own.");
        var deadline = TotalRequestTimeout.Timeout;
        Positive("TotalRequestTimeout:Timeout", deadline);
        Positive("ConnectTimeout", ConnectTimeout);
        if (AttemptTimeout is not null)
        {
            Positive("AttemptTimeout:Timeout", AttemptTimeout.Timeout);
            NotLongerThanDeadline("AttemptTimeout:Timeout", AttemptTimeout.Timeout);
        }
        foreach (var endpoint in Endpoints)
            if (endpoint.AttemptTimeout is { Timeout: var own })
                NotLongerThanDeadline($"AttemptTimeout:Timeout of endpoint '{endpoint.Name}'", own);
        Positive("FirstContent:Timeout", FirstContent.Timeout);
        Positive("FirstContent:Minimum", FirstContent.Minimum);
        if (FirstContent.Minimum > FirstContent.Timeout)
            wrong.Add($"{path}: FirstContent:Minimum is {FirstContent.Minimum}, longer than FirstContent:Timeout, {FirstContent.Timeout}.");
        if (!(FirstContent.Multiplier >= 1))
            wrong.Add(FormattableString.Invariant($"{path}: FirstContent:Multiplier is {FirstContent.Multiplier}: at least 1 is needed."));
        Within("Retry:MaxRetryAttempts", Retry.MaxRetryAttempts, 0, 100);
        Within("Retry:MaxAttemptsPerEndpoint", Retry.MaxAttemptsPerEndpoint ?? 2, 1, 100);
        Positive("Retry:Delay", Retry.Delay);
        if (Retry.MaxDelay < Retry.Delay)
            wrong.Add($"{path}: Retry:MaxDelay is {Retry.MaxDelay}, shorter than Retry:Delay, {Retry.Delay}.");
        if (!(Retry.MinimumChance is >= 0 and <= 1))
            wrong.Add(FormattableString.Invariant($"{path}: Retry:MinimumChance is {Retry.MinimumChance}: 0 to 1 is needed."));
        Within("MaxWaitingCalls", MaxWaitingCalls, 0, 1_000_000);
        if (Origin is not null && !(Uri.TryCreate(Origin, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" or "https+http" or "http+https"))
            wrong.Add($"{path}: Origin is '{EndpointOptions.Redact(Origin)}': an absolute http or https address is needed (or https+http, which service discovery resolves).");
        wrong.AddRange(CircuitBreaker.Validate($"{path}: CircuitBreaker"));
        wrong.AddRange(Objective?.Validate($"{path}: Objective") ?? []);
        wrong.AddRange(Hedging.Validate($"{path}: Hedging"));
        Positive("Streaming:IdleTimeout", Streaming.IdleTimeout);
        Within("Streaming:HoldItems", Streaming.HoldItems, 1, 100_000);
        Within("Streaming:HoldBytes", Streaming.HoldBytes, 1, int.MaxValue);
        wrong.AddRange(Http.Validate($"{path}: Http"));
        wrong.AddRange(Heartbeat.Validate($"{path}: Heartbeat"));
        wrong.AddRange(Recovery.Validate($"{path}: Recovery"));
        wrong.AddRange(RetryBudget.Validate($"{path}: RetryBudget"));
        wrong.AddRange(Selection.Validate($"{path}: Selection"));
        wrong.AddRange(Scale.Validate($"{path}: Scale"));
        foreach (var (account, limits) in AccountLimits)
        {
            wrong.AddRange(limits.Validate($"{path}: AccountLimits:{account}"));
            if (!Endpoints.Any(e => e.Account == account))
                wrong.Add($"{path}: AccountLimits has limits for the account '{account}', which no endpoint has.");
        }
        foreach (var endpoint in Endpoints)
            if (endpoint.Limits is { } limits)
                wrong.AddRange(limits.Validate($"{path}: Limits of endpoint '{endpoint.Name}'"));
        return wrong;

        void Positive(string setting, TimeSpan value)
        {
            if (value <= TimeSpan.Zero)
                wrong.Add($"{path}: {setting} is {value}: more than 0 is needed.");
        }

        void NotLongerThanDeadline(string setting, TimeSpan value)
        {
            if (value > deadline)
                wrong.Add($"{path}: {setting} is {value}, longer than the deadline, {deadline}.");
        }

        void Within(string setting, int value, int least, int most)
        {
            if (value < least || value > most)
                wrong.Add($"{path}: {setting} is {value}: {least} to {most} is needed.");
        }
    }
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
