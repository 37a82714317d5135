using HaKit.Faults;

namespace HaKit.Health;

/// <summary>Before we blame the endpoints: is it us? Remembers pauses of our own process. Guarded by the tracker's lock.</summary>
internal sealed class SelfSuspicion
{
    private TimeSpan _pauseEnd = TimeSpan.MinValue;
    private TimeSpan _graceUntil = TimeSpan.MinValue;

    public void Paused(TimeSpan now, HealthOptions options) => (_pauseEnd, _graceUntil) = (now, now + options.PauseGrace);

    /// <summary>Was the attempt in flight across a pause, or so soon after one that the pause explains its failure?</summary>
    public bool Explains(in HealthEvidence evidence, TimeSpan now) =>
        evidence.Fault is { } fault && fault.MayBeOurPause() && (evidence.Began < _pauseEnd || now < _graceUntil);

    /// <summary>
    /// Has every endpoint that is in use, of at least two, just failed to connect? Those that were ejected for it a moment ago are asked
    /// too, because the first to reach its limit is ejected before the last one fails.
    /// </summary>
    public static bool ConnectsNowhere(List<EndpointHealth> endpoints, bool byProbe, TimeSpan now, HealthOptions options)
    {
        var failing = 0;
        foreach (var endpoint in endpoints)
        {
            var state = endpoint.State;
            if (!state.Admits(now) && !IsEjectedJustNow(state, now, options)) continue;
            var recently = endpoint.ConnectFailedAt is { } at && at >= now - options.SelfSuspicion;
            // Probes are far apart, so there the latest answer of each endpoint is asked instead of the last second.
            if (!recently && !(byProbe && state is { ProbeMisses: > 0, Cause.IsConnectClass: true })) return false;
            failing++;
        }

        return failing >= 2;
    }

    public static bool IsEjectedJustNow(HealthState state, TimeSpan now, HealthOptions options) =>
        state is { Status: HealthStatus.Ejected, Cause.IsConnectClass: true, IsFailedTrial: false } && state.JudgedAt >= now - options.SelfSuspicion;
}
