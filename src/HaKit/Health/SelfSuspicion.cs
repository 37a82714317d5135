using HaKit.Faults;

namespace HaKit.Health;

/// <summary>Decides whether this process, and not an endpoint, is at fault. It records pauses of the process. Guarded by the tracker's lock.</summary>
internal sealed class SelfSuspicion
{
    private TimeSpan _pauseEnd = TimeSpan.MinValue;
    private TimeSpan _graceUntil = TimeSpan.MinValue;

    public void RecordPause(TimeSpan now, HealthOptions options) => (_pauseEnd, _graceUntil) = (now, now + options.PauseGrace);

    /// <summary>
    /// Checks whether a pause of this process explains the fault: the attempt began before the end of the pause, or failed within the grace period after the
    /// pause (<see cref="HealthOptions.PauseGrace"/>).
    /// </summary>
    public bool Explains(in HealthEvidence evidence, TimeSpan now) =>
        evidence.Fault is { } fault && fault.MayBeOurPause() && (evidence.Began < _pauseEnd || now < _graceUntil);

    /// <summary>
    /// Checks whether the pool now fails to connect to every endpoint in use (at least two), including this one. Endpoints that were ejected for such failures
    /// shortly before count too, because the first endpoint reaches its limit before the last endpoint fails. A single failure is not enough. Otherwise an
    /// endpoint that refuses connections occasionally would prevent the ejection of an endpoint that is down.
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
                // Probes are rare, so the latest result of each endpoint counts, even if it is older than HealthOptions.SelfSuspicion.
                || (byProbe && state is { ProbeMisses: > 0, Cause.IsConnectClass: true });
            if (fails)
                count++;
            else if (state.Admits(now))
                return false;
        }

        return count >= 2;
    }

    /// <summary>Gets the number of failures to connect in a row from which an endpoint counts as failing now.</summary>
    public static int Enough(HealthOptions options) => Math.Max(1, options.ConnectFailuresToEject - 1);

    public static bool IsEjectedJustNow(HealthState state, TimeSpan now, HealthOptions options) =>
        state is { Status: EndpointHealthStatus.Ejected, Cause.IsConnectClass: true, FailedTrial: null } && state.JudgedAt >= now - options.SelfSuspicion;
}
