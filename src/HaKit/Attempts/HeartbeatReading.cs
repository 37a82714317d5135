using HaKit.Faults;
using HaKit.Health;

namespace HaKit;

/// <summary>What the latest heartbeat of an endpoint found. Immutable.</summary>
public sealed record HeartbeatReading
{
    /// <summary>When it ended, on the pool's monotonic clock as in <see cref="HealthState"/>.</summary>
    public required TimeSpan At { get; init; }

    /// <summary>What it exercised.</summary>
    public required ProbeLevel Level { get; init; }

    /// <summary>What was wrong; null when all was well.</summary>
    public Fault? Fault { get; init; }

    /// <summary>How long it took.</summary>
    public required TimeSpan Took { get; init; }

    /// <summary>How long the next one will wait for its answer.</summary>
    public required TimeSpan NextTimeout { get; init; }

    /// <summary>Was <see cref="NextTimeout"/> learned from the endpoint's own recent answers?</summary>
    public required bool IsTimeoutLearned { get; init; }

    /// <summary>The highest level that it showed to work: a refused key is reachable, a throttled one authorised. Null when nothing answered.</summary>
    public ProbeLevel? Proved => Fault switch
    {
        null => Level,
        { StatusCode: 0 } => null,
        { StatusCode: 401 or 403 or >= 500 } or { Kind: FaultKind.Unauthorized or FaultKind.Forbidden } => ProbeLevel.Reachable,
        _ => Level < ProbeLevel.Authorized ? Level : ProbeLevel.Authorized,
    };
}

/// <summary>The load that an endpoint reported of itself. Immutable.</summary>
/// <param name="Running">Requests being served.</param>
/// <param name="Waiting">Requests waiting in its queue.</param>
/// <param name="CacheUsage">The share of its cache in use, 0 to 1.</param>
public sealed record ReportedLoad(int Running, int Waiting, double CacheUsage)
{
    /// <summary>When it was reported, on the pool's monotonic clock; set by the pool.</summary>
    public TimeSpan At { get; init; }

    /// <summary>How many requests it can serve at once; null when it did not say.</summary>
    public int? Capacity { get; init; }
}
