using System.Globalization;
using HaKit.Health;

namespace HaKit;

/// <summary>Describes a pool at one moment, for display or evaluation. Immutable; contains no key, prompt or message.</summary>
public sealed record PoolStatus
{
    /// <summary>Gets the pool's name.</summary>
    public required string Pool { get; init; }

    /// <summary>Gets when the status was read, by the wall clock.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>Gets the same moment on the pool's monotonic clock, as in <see cref="HealthState"/>.</summary>
    public required TimeSpan Now { get; init; }

    /// <summary>Gets the endpoints, in the order of <see cref="EndpointPool.Endpoints"/>.</summary>
    public required IReadOnlyList<EndpointStatus> Endpoints { get; init; }

    /// <summary>Gets how many endpoints take ordinary traffic.</summary>
    public required int Serving { get; init; }

    /// <summary>
    /// Gets whether the pool can connect to none of the admitted endpoints. This machine's network may then be at fault, so the pool does not eject these
    /// endpoints. While this is true, no endpoint serves.
    /// </summary>
    public bool IsUnreachable { get; init; }

    /// <summary>Gets the tier that should be used first: the lowest tier, or the tier that an operator promoted.</summary>
    public required int FirstTier { get; init; }

    /// <summary>Gets the tier that is used first now. Null if no endpoint serves.</summary>
    public int? ServingTier { get; init; }

    /// <summary>
    /// Gets the time since which no endpoint takes ordinary traffic, by the wall clock. Trials do not change this time. Null while an endpoint takes traffic.
    /// </summary>
    public DateTimeOffset? OutageSince { get; init; }

    /// <summary>Gets the time of the latest answer of an endpoint to a call, by the wall clock. Null before the first answer.</summary>
    public DateTimeOffset? LastAnsweredAt { get; init; }

    /// <summary>Gets the number of calls that no endpoint can serve now. They wait, or make a trial to test whether an endpoint has recovered.</summary>
    public required int Waiting { get; init; }

    /// <summary>Gets the largest number of calls that may wait (<c>MaxWaitingCalls</c>). Further calls fail at once.</summary>
    public int MaxWaiting { get; init; }

    /// <summary>Gets the age of the oldest waiting call. Null when no call waits.</summary>
    public TimeSpan? OldestWait { get; init; }

    /// <summary>
    /// Gets the time until the first waiting call fails if no endpoint can serve it: at its deadline, or at the end of its <c>MaxWait</c>. Null if no call
    /// waits, or if no waiting call has a limit.
    /// </summary>
    public TimeSpan? FirstGivesUpIn { get; init; }

    /// <summary>Gets the balance of the retry budget. Each retry or hedge takes <c>RetryBudget:Cost</c> (1 by default) from it.</summary>
    public required double RetryBudget { get; init; }

    /// <summary>The sentence about a pool that can reach none of its endpoints.</summary>
    internal const string Unreachable = "No endpoint can be reached: the network of this machine may be down";

    /// <summary>Returns the status in one line: how many endpoints serve, and the state of each endpoint.</summary>
    public override string ToString() => $"Pool '{Pool}': {Serving} of {Endpoints.Count} endpoints serve.{(IsUnreachable ? $" {Unreachable}." : "")} {string.Join("; ", Endpoints)}.";
}

/// <summary>Describes one endpoint of a <see cref="PoolStatus"/>. Immutable.</summary>
public sealed record EndpointStatus
{
    /// <summary>Gets the endpoint.</summary>
    public required PoolEndpoint Endpoint { get; init; }

    internal string Name => Endpoint.Name;

    /// <summary>Gets the endpoint's health; its times are on the pool's monotonic clock.</summary>
    public required HealthState Health { get; init; }

    /// <summary>Gets since when the endpoint is in this state, by the wall clock.</summary>
    public required DateTimeOffset Since { get; init; }

    /// <summary>
    /// Gets the time since which the endpoint takes no ordinary traffic, by the wall clock. A failed trial, or a cooldown that is prolonged before its end,
    /// does not change this time. Null while the endpoint takes traffic. If the pool can reach no endpoint (<see cref="PoolStatus.IsUnreachable"/>), this is the time
    /// since which it cannot reach this endpoint.
    /// </summary>
    public DateTimeOffset? OutSince { get; init; }

    /// <summary>
    /// Gets the time of the endpoint's latest answer to a call, by the wall clock. The first content of a stream sets this time, and the end of every served
    /// answer sets it. Null before the first answer.
    /// </summary>
    public DateTimeOffset? LastAnsweredAt { get; init; }

    /// <summary>Gets whether the endpoint takes ordinary traffic.</summary>
    public required bool Serves { get; init; }

    /// <summary>Gets the factor on the endpoint's weight: below 1 in a slow start.</summary>
    public required double SlowStartShare { get; init; }

    /// <summary>Gets the number of attempts in flight on the endpoint.</summary>
    public required int InFlight { get; init; }

    /// <summary>Gets the number of attempts that have started.</summary>
    public required long Attempts { get; init; }

    /// <summary>Gets the number of attempts that were served.</summary>
    public required long Successes { get; init; }

    /// <summary>Gets the number of attempts that failed by the endpoint's own fault, including throttles.</summary>
    public required long Faults { get; init; }

    /// <summary>Gets the total time of all served attempts. A stream counts until its first content, any other attempt until its answer.</summary>
    public required TimeSpan AnswerTime { get; init; }

    /// <summary>
    /// Gets the times of recent streams to their first content. Null until 20 times are known. An attempt that timed out without an answer counts with its
    /// waiting time, but only if the endpoint has become slow, not if the endpoint was down.
    /// </summary>
    public AnswerQuantiles? StreamTimes { get; init; }

    /// <summary>
    /// Gets the times of recent answers that are not streams. Null until 20 times are known. An attempt that timed out without an answer counts with its
    /// waiting time, but only if the endpoint has become slow, not if the endpoint was down.
    /// </summary>
    public AnswerQuantiles? AnswerTimes { get; init; }

    /// <summary>Gets the estimated probability that the endpoint's next attempt fails, from recent attempts; 0 to 1.</summary>
    public required double FailureEstimate { get; init; }

    /// <summary>Gets the limits of the endpoint and of its account. Empty: none.</summary>
    public required IReadOnlyList<LimitUse> Limits { get; init; }

    /// <summary>Gets the latest heartbeat. Null before the first heartbeat.</summary>
    public HeartbeatReading? Heartbeat { get; init; }

    /// <summary>Gets the load that the endpoint reported at its latest heartbeat. Null if it reports none, or if that heartbeat failed.</summary>
    public ReportedLoad? ReportedLoad { get; init; }

    /// <summary>
    /// Gets whether the endpoint has answered that it does not have the requested model, and has served no call since then. Do not count such an endpoint as
    /// capacity, even if it is healthy.
    /// </summary>
    public bool LacksModel { get; init; }

    /// <summary>Gets the time at which the status was read, on the pool's clock.</summary>
    internal TimeSpan Now { get; init; }

    /// <summary>Gets the state in words, without a time.</summary>
    internal string StateText => HealthWords.Describe(Health, Now, isUnreachable: !Serves && Health.Admits(Now));

    internal string HealthText => string.Create(CultureInfo.InvariantCulture, $"{StateText}, since {OutSince ?? Since:u}{(LacksModel ? "; it does not have the requested model" : "")}");

    /// <summary>Returns the name and the state: <c>main: Ejected because of ConnectFailed, since 2026-11-21 13:49:57Z</c>.</summary>
    public override string ToString() => $"{Endpoint}: {HealthText}";
}

/// <summary>Contains quantiles of an endpoint's recent times. Each quantile is at most 9.1 % above the true value, and never below it. Immutable.</summary>
/// <param name="Median">The time within which half of the answers arrived.</param>
/// <param name="P95">The time within which 95 of 100 answers arrived.</param>
public readonly record struct AnswerQuantiles(TimeSpan Median, TimeSpan P95);
