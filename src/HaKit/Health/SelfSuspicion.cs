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
    /// Is every endpoint in use, of at least two, failing to connect just now, this one included? Those ejected for it a moment ago are
    /// asked too, because the first to reach its limit is ejected before the last one fails. A single failure is not enough: an endpoint
    /// that refuses now and then would excuse one that is down.
    /// </summary>
    public static bool ConnectsNowhere(List<EndpointHealth> endpoints, EndpointHealth failing, bool byProbe, TimeSpan now, HealthOptions options)
    {
        var enough = Enough(options);
        var count = 0;
        foreach (var endpoint in endpoints)
        {
            var state = endpoint.State;
            var isRecent = endpoint.ConnectFailedAt is { } at && at >= now - options.SelfSuspicion;
            var fails = endpoint == failing
                || IsEjectedJustNow(state, now, options)
                || (isRecent && state.ConnectFailures >= enough)
                // Probes are far apart, so there the latest answer of each is asked instead of the last second.
                || (byProbe && state is { ProbeMisses: > 0, Cause.IsConnectClass: true });
            if (fails)
                count++;
            else if (state.Admits(now))
                return false;
        }

        return count >= 2;
    }

    /// <summary>Failures to connect in a row that make an endpoint one of those that fail just now.</summary>
    public static int Enough(HealthOptions options) => Math.Max(1, options.ConnectFailuresToEject - 1);

    public static bool IsEjectedJustNow(HealthState state, TimeSpan now, HealthOptions options) =>
        state is { Status: EndpointHealthStatus.Ejected, Cause.IsConnectClass: true, IsFailedTrial: false } && state.JudgedAt >= now - options.SelfSuspicion;
}
