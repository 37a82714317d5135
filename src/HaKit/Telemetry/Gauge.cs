namespace HaKit.Telemetry;

/// <summary>A value that can be read from a pool at any time.</summary>
internal enum Gauge
{
    EndpointState,
    EndpointInFlight,
    EndpointShare,
    EndpointLimitUtilization,
    EndpointAvailability,
    QueueLength,
    BudgetLevel,
    PoolUtilization,
    WantedEndpoints,
    RedundancyLost,
    PoolAvailability,
    SloTarget,
    SloBudgetLeft,
    SloBurnRate,
    PeerLinkConnected,
    PeerLinkAge,
    PeerLinkLag,
    PeerReplicas,
}

/// <summary>
/// Describes how a gauge is exported. A share has no unit. With the unit 1, the metric would have two names, because some exporters add a suffix for this unit
/// and others do not.
/// </summary>
internal sealed record GaugeDefinition(Gauge Gauge, string Name, string? Unit, string Description);

internal static class GaugeTable
{
    public static readonly GaugeDefinition[] All =
    [
        new(Gauge.EndpointState, "hakit.endpoint.state", "{endpoint}", "1 for the state that the endpoint is in, 0 for the others."),
        new(Gauge.EndpointInFlight, "hakit.endpoint.in_flight", "{attempt}", "Attempts in flight on the endpoint, streams included until they end."),
        new(Gauge.EndpointShare, "hakit.endpoint.ramp", null, "The factor on the endpoint's weight: below 1 while it returns."),
        new(Gauge.EndpointLimitUtilization, "hakit.endpoint.limit.utilization", null, "How much of a limit of the endpoint is used."),
        new(Gauge.EndpointAvailability, "hakit.endpoint.availability", null, "Share of the time in which the endpoint could take traffic."),
        new(Gauge.QueueLength, "hakit.queue.length", "{call}", "Calls that wait for an endpoint."),
        new(Gauge.BudgetLevel, "hakit.budget.level", "{retry}", "Retries and hedges that the pool's shared budget would pay for now."),
        new(Gauge.PoolUtilization, "hakit.pool.utilization", null, "How full the serving endpoints are, by weight."),
        new(Gauge.WantedEndpoints, "hakit.scale.wanted_endpoints", "{endpoint}", "How many serving endpoints the load wants."),
        new(Gauge.RedundancyLost, "hakit.redundancy.lost", null, "The share of calls that would wait or fail if the failure domain were lost now."),
        new(Gauge.PoolAvailability, "hakit.pool.availability", null, "The pool's availability: delivered to callers, observed, and predicted from its endpoints."),
        new(Gauge.SloTarget, "hakit.slo.target", null, "The availability that the pool is meant to have."),
        new(Gauge.SloBudgetLeft, "hakit.slo.budget_left", null, "Share of the error budget that is left; negative when overspent."),
        new(Gauge.SloBurnRate, "hakit.slo.burn_rate", null, "How many times faster than evenly the error budget is being spent, in a window."),
        new(Gauge.PeerLinkConnected, "hakit.peers.connected", null, "1 while the link to the other replicas works, 0 while the pool is alone."),
        new(Gauge.PeerLinkAge, "hakit.peers.age", "s", "How long ago the store between the replicas last answered."),
        new(Gauge.PeerLinkLag, "hakit.peers.lag", "s", "How long the latest answer of the store between the replicas took."),
        new(Gauge.PeerReplicas, "hakit.peers.replicas", "{replica}", "Replicas that were heard of lately, this one among them."),
    ];
}
