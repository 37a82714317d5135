using HaKit.Health;
using HaKit.Telemetry;
using Microsoft.Extensions.Logging;

namespace HaKit.Pool;

/// <summary>Writes the log lines of a change of an endpoint's health: one for its state, one for its cooldown.</summary>
internal static class HealthLog
{
    /// <param name="log">The pool's log.</param>
    /// <param name="pool">The pool's name.</param>
    /// <param name="change">The change.</param>
    /// <param name="isOutage">True if no endpoint takes traffic. A failed trial is then written at Debug, because the outage has its own line.</param>
    /// <param name="now">The current time on the pool's clock.</param>
    public static void Write(ILogger log, string pool, in HealthChange change, bool isOutage, TimeSpan now)
    {
        WriteState(log, pool, change, isOutage, now);
        WriteCooldown(log, pool, change, now);
    }

    private static void WriteState(ILogger log, string pool, in HealthChange change, bool isOutage, TimeSpan now)
    {
        var (before, after, endpoint) = (change.Before, change.After, change.Endpoint.Name);
        var fault = (change.Evidence.Fault ?? after.Cause)?.ToString() ?? "no fault";
        var source = HealthEvents.SourceOf(change).ToString();
        if (before.Status == EndpointHealthStatus.Trial && after.Status == EndpointHealthStatus.Ejected && (isOutage || before.IsOutageTrial))
            PoolLog.ChangedAtDebug(log, pool, endpoint, before.Status.ToString(), after.Status.ToString(), fault, source);
        else if (HealthEvents.IsEjection(change))
            WriteEjection(log, pool, change, fault, (after.Until ?? now) - now);
        else if (HealthEvents.IsRecovery(change))
            PoolLog.Recovered(log, pool, endpoint, after.Status.ToString(), source);
        else if (after.Status != before.Status && IsOfNote(before.Status, after.Status))
            PoolLog.LogChanged(log, pool, endpoint, before.Status.ToString(), after.Status.ToString(), source);
        else if (after.Status != before.Status)
            PoolLog.ChangedAtDebug(log, pool, endpoint, before.Status.ToString(), after.Status.ToString(), fault, source);
    }

    private static void WriteEjection(ILogger log, string pool, in HealthChange change, string fault, TimeSpan period)
    {
        var source = HealthEvents.SourceOf(change);
        // Most servers answer 404 to a path that they do not have, so the path of the heartbeat is the most probable cause.
        if (source == ChangeSource.Heartbeat && change.Evidence.Fault?.Kind == FaultKind.NotServed)
            PoolLog.EjectedByItsPath(log, pool, change.Endpoint.Name, DurationText.Write(period), period.TotalSeconds, fault);
        else
            PoolLog.Ejected(log, pool, change.Endpoint.Name, DurationText.Write(period), period.TotalSeconds, fault, source.ToString());
    }

    private static void WriteCooldown(ILogger log, string pool, in HealthChange change, TimeSpan now)
    {
        // A cooldown that replaces an earlier cooldown is written only if the earlier cooldown had an end and the new cooldown lasts until it is cleared.
        if (change.After.Cooldown is not { } cooldown || change.Before.Cooldown is { } earlier && (earlier.IsUntilCleared || !cooldown.IsUntilCleared))
            return;
        if (cooldown.IsUntilCleared)
            PoolLog.CoolingUntilCleared(log, pool, change.Endpoint.Name, cooldown.Cause.ToString());
        else
            PoolLog.Cooling(log, pool, change.Endpoint.Name, DurationText.Write(cooldown.Until - now), (cooldown.Until - now).TotalSeconds, cooldown.Cause.ToString());
    }

    // Single failures make an endpoint suspect and single successes make it healthy again, as often as calls fail. Such changes are written at Debug.
    private static bool IsOfNote(EndpointHealthStatus before, EndpointHealthStatus after) =>
        after is EndpointHealthStatus.Draining or EndpointHealthStatus.ForcedDown || before == EndpointHealthStatus.SlowStart && after == EndpointHealthStatus.Healthy;
}
