using HaKit.Health;

namespace HaKit.Pool;

/// <summary>Determines the events that a change of an endpoint's health causes. Pure functions of the change.</summary>
internal static class HealthEvents
{
    /// <summary>Checks whether the endpoint was ejected for its own faults, and not for a fault of the request or the caller.</summary>
    public static bool IsEjection(in HealthChange change) =>
        change.After.Status == EndpointHealthStatus.Ejected && change.Before.Status != EndpointHealthStatus.Ejected && change.Evidence.Fault?.IsNeutral != true;

    public static bool IsRecovery(in HealthChange change) => change.After.IsInService && !change.Before.IsInService
        && change.Evidence.Source != EvidenceSource.SelfSuspicion; // an ejection that is undone is not a recovery

    /// <summary>Checks whether the endpoint has come back. Its slow start then begins, and its earlier failures no longer count.</summary>
    public static bool IsReturn(in HealthChange change) => change.After.Status == EndpointHealthStatus.SlowStart && !change.Before.IsInService;

    /// <summary>Creates the event of a change.</summary>
    /// <param name="change">The change.</param>
    /// <param name="pool">The pool's name.</param>
    /// <param name="at">The time of the change, by the wall clock.</param>
    public static EndpointChanged EventOf(in HealthChange change, string pool, DateTimeOffset at)
    {
        var (before, after, endpoint, fault) = (change.Before, change.After, change.Endpoint.Name, change.Evidence.Fault);
        var source = SourceOf(change);
        if (IsEjection(change))
            return new EndpointEjected { Pool = pool, At = at, Endpoint = endpoint, Before = before, After = after, Source = source, Fault = fault ?? after.Cause };
        if (IsRecovery(change))
            return new EndpointRecovered { Pool = pool, At = at, Endpoint = endpoint, Before = before, After = after, Source = source, Fault = fault };
        return new EndpointChanged { Pool = pool, At = at, Endpoint = endpoint, Before = before, After = after, Source = source, Fault = fault };
    }

    public static ChangeSource SourceOf(in HealthChange change) => change.Evidence switch
    {
        { IsFromPeer: true } => ChangeSource.Peer,
        { IsShared: true } or { Source: EvidenceSource.ClearedElsewhere or EvidenceSource.TrialElsewhere } => ChangeSource.SharedDomain,
        { Source: EvidenceSource.Probe } => ChangeSource.Heartbeat,
        { Source: EvidenceSource.Order } => ChangeSource.Order,
        { Source: EvidenceSource.Time } => ChangeSource.Time,
        { Source: EvidenceSource.SelfSuspicion } => ChangeSource.SelfSuspicion,
        _ => ChangeSource.Traffic,
    };
}
