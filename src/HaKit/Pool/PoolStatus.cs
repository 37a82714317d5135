using System.Globalization;
using HaKit.Health;

namespace HaKit;

/// <summary>A pool at one moment, to display or evaluate. Immutable; holds no key, prompt or message.</summary>
public sealed record PoolStatus
{
    /// <summary>The pool's name.</summary>
    public required string Pool { get; init; }

    /// <summary>When it was taken, by the wall clock.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>The same moment on the pool's monotonic clock, as in <see cref="HealthState"/>.</summary>
    public required TimeSpan Now { get; init; }

    /// <summary>The members, in the order in which they were listed.</summary>
    public required IReadOnlyList<EndpointStatus> Endpoints { get; init; }

    /// <summary>How many of them take ordinary traffic.</summary>
    public required int Serving { get; init; }

    /// <summary>Can none of them be connected to, so that it is perhaps this network? Then none serves, although none is ejected.</summary>
    public bool IsUnreachable { get; init; }

    /// <summary>The tier that is to be used first: the lowest, or the one that an operator promoted.</summary>
    public required int FirstTier { get; init; }

    /// <summary>The tier that is used first as things stand; null when no endpoint serves.</summary>
    public int? ServingTier { get; init; }

    /// <summary>Since when no endpoint takes ordinary traffic, by the wall clock; trials do not begin it anew. Null while one does.</summary>
    public DateTimeOffset? OutageSince { get; init; }

    /// <summary>When an endpoint last answered a call, by the wall clock; null before the first.</summary>
    public DateTimeOffset? LastAnsweredAt { get; init; }

    /// <summary>Calls that have no endpoint at this moment: they wait, or ask whether an endpoint is back.</summary>
    public required int Waiting { get; init; }

    /// <summary>How many calls may wait (<c>MaxWaitingCalls</c>): one more fails at once.</summary>
    public int MaxWaiting { get; init; }

    /// <summary>How long ago the oldest waiting call was made; null when none waits.</summary>
    public TimeSpan? OldestWait { get; init; }

    /// <summary>In how long the first waiting call gives up if nothing serves it: at its deadline, or at its <c>MaxWait</c>. Null when none waits, or none has a bound.</summary>
    public TimeSpan? FirstGivesUpIn { get; init; }

    /// <summary>Retries and hedges that the shared budget would pay for now.</summary>
    public required double RetryBudget { get; init; }

    /// <summary>One line: how many serve, and how each endpoint is.</summary>
    public override string ToString() => $"Pool '{Pool}': {Serving} of {Endpoints.Count} endpoints serve{(IsUnreachable ? ": no endpoint can be reached; perhaps this network" : "")}. {string.Join("; ", Endpoints)}.";
}

/// <summary>One endpoint of a <see cref="PoolStatus"/>. Immutable.</summary>
public sealed record EndpointStatus
{
    /// <summary>The endpoint.</summary>
    public required PoolEndpoint Endpoint { get; init; }

    /// <summary>Its health; times are on the pool's monotonic clock.</summary>
    public required HealthState Health { get; init; }

    /// <summary>Since when it is in that state, by the wall clock.</summary>
    public required DateTimeOffset Since { get; init; }

    /// <summary>
    /// Since when it takes no ordinary traffic, by the wall clock: through failed trials, and through cooldowns that are named anew before they end. Null while it takes traffic.
    /// </summary>
    public DateTimeOffset? OutSince { get; init; }

    /// <summary>When it last answered a call, by the wall clock: the first content or the end of an answer; null before the first.</summary>
    public DateTimeOffset? LastAnsweredAt { get; init; }

    /// <summary>Does it take ordinary traffic?</summary>
    public required bool Serves { get; init; }

    /// <summary>The factor on its weight: below 1 while it returns.</summary>
    public required double SlowStartShare { get; init; }

    /// <summary>Attempts in flight on it.</summary>
    public required int InFlight { get; init; }

    /// <summary>Attempts that were begun.</summary>
    public required long Attempts { get; init; }

    /// <summary>Attempts that were served.</summary>
    public required long Successes { get; init; }

    /// <summary>Attempts that failed by the endpoint's own fault, throttles included.</summary>
    public required long Faults { get; init; }

    /// <summary>How long all successes took together: a stream to its first content, any other to its answer.</summary>
    public required TimeSpan AnswerTime { get; init; }

    /// <summary>How long its recent streams took to their first content; null until twenty are known. A silence counts with the time it was given where it shows that the endpoint has become slow.</summary>
    public AnswerQuantiles? StreamTimes { get; init; }

    /// <summary>How long its recent plain answers took; null until twenty are known. A silence counts with the time it was given where it shows that the endpoint has become slow.</summary>
    public AnswerQuantiles? AnswerTimes { get; init; }

    /// <summary>How likely its next attempt fails, as recent ones tell; 0 to 1.</summary>
    public required double FailureEstimate { get; init; }

    /// <summary>Its limits and those of its account; empty for none.</summary>
    public required IReadOnlyList<LimitUse> Limits { get; init; }

    /// <summary>Its latest heartbeat; null before the first.</summary>
    public HeartbeatReading? Heartbeat { get; init; }

    /// <summary>The load that it reported of itself; null when it does not.</summary>
    public ReportedLoad? ReportedLoad { get; init; }

    /// <summary>Has it said that it does not have the model it is asked for, and answered nothing since? Then it is no capacity, however healthy.</summary>
    public bool LacksModel { get; init; }

    internal string HealthText => string.Create(CultureInfo.InvariantCulture, $"{Health}, since {OutSince ?? Since:u}{(LacksModel ? "; it does not have the model that it is asked for" : "")}");

    /// <summary>Its name and how it is: <c>main: Ejected because of ConnectFailed, since 2026-11-21 13:49:57Z</c>.</summary>
    public override string ToString() => $"{Endpoint}: {HealthText}";
}

/// <summary>Quantiles of an endpoint's recent times. Each is at most 9.1 % above the true one, and never below. Immutable.</summary>
/// <param name="Median">Half of the answers came within this time.</param>
/// <param name="P95">95 of 100 answers came within this time.</param>
public readonly record struct AnswerQuantiles(TimeSpan Median, TimeSpan P95);
