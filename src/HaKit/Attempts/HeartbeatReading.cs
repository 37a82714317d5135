using HaKit.Faults;
using HaKit.Health;

namespace HaKit;

/// <summary>Describes the result of the latest heartbeat of an endpoint. Immutable.</summary>
public sealed record HeartbeatReading
{
    /// <summary>Gets when the heartbeat ended, on the pool's monotonic clock as in <see cref="HealthState"/>.</summary>
    public required TimeSpan At { get; init; }

    /// <summary>Gets the level that the heartbeat tested.</summary>
    public required ProbeLevel Level { get; init; }

    /// <summary>Gets the fault. Null: the heartbeat succeeded.</summary>
    public Fault? Fault { get; init; }

    /// <summary>Gets how long the heartbeat took.</summary>
    public required TimeSpan Took { get; init; }

    /// <summary>Gets how long the next heartbeat will wait for its answer.</summary>
    public required TimeSpan NextTimeout { get; init; }

    /// <summary>Gets whether <see cref="NextTimeout"/> was learned from the endpoint's own recent answers.</summary>
    public required bool IsTimeoutLearned { get; init; }

    /// <summary>
    /// Gets the highest level that the heartbeat proved. A refused key proves that the endpoint is reachable, and a throttle proves that the key is valid. Null
    /// if there was no answer.
    /// </summary>
    public ProbeLevel? Proved => Fault switch
    {
        null => Level,
        { StatusCode: 0 } => null,
        { StatusCode: 401 or 403 or >= 500 } or { Kind: FaultKind.Unauthorized or FaultKind.Forbidden } => ProbeLevel.Reachable,
        _ => Level < ProbeLevel.Authorized ? Level : ProbeLevel.Authorized,
    };
}

/// <summary>Describes the load that an endpoint reported. Immutable.</summary>
/// <param name="Running">The number of requests being served.</param>
/// <param name="Waiting">The number of requests in the endpoint's queue.</param>
/// <param name="CacheUsage">The share of the endpoint's cache in use, 0 to 1. A number that is not finite counts as 0.</param>
public sealed record ReportedLoad(int Running, int Waiting, double CacheUsage)
{
    /// <summary>Gets the share of the endpoint's cache in use, 0 to 1. A number that is not finite counts as 0, because JSON has no such number.</summary>
    public double CacheUsage
    {
        get;
        init => field = Finite(value);
    } = Finite(CacheUsage);

    /// <summary>Gets when the load was reported, on the pool's monotonic clock; the pool sets it.</summary>
    public TimeSpan At { get; init; }

    /// <summary>Gets how many requests the endpoint can serve at once. Null if it did not report this.</summary>
    public int? Capacity { get; init; }

    /// <summary>The largest number of requests that the pool reads from an answer. No server can have more, and sums of larger numbers could overflow.</summary>
    internal const int MaxCount = 1_000_000;

    private static double Finite(double share) => double.IsFinite(share) ? share : 0;
}
