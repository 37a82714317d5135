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

    /// <summary>Calls that wait for an endpoint.</summary>
    public required int Waiting { get; init; }

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

    internal string HealthText => string.Create(CultureInfo.InvariantCulture, $"{Health}, since {Since:u}{(LacksModel ? "; it does not have the model that it is asked for" : "")}");

    /// <summary>Its name and how it is: <c>main: Ejected because of ConnectFailed, since 2026-11-21 13:49:57Z</c>.</summary>
    public override string ToString() => $"{Endpoint}: {HealthText}";
}
