using HaKit.Faults;
using HaKit.Health;

namespace HaKit.Heartbeats;

/// <summary>One way to ask an endpoint how it is. Used by one loop at a time.</summary>
public interface IProbe
{
    /// <summary>Asks once. May throw: an exception is a failed beat.</summary>
    /// <param name="endpoint">Whom to ask.</param>
    /// <param name="cancellationToken">Cancelled at the beat's timeout.</param>
    ValueTask<ProbeResult> ProbeAsync(Endpoint endpoint, CancellationToken cancellationToken);
}

/// <summary>What a probe found.</summary>
/// <param name="Level">What it exercised: a green answer clears only faults of this level or below.</param>
/// <param name="Fault">What is wrong, or null.</param>
public readonly record struct ProbeResult(ProbeLevel Level, Fault? Fault = null);
