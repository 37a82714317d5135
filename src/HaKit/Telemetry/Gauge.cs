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
        new(Gauge.EndpointState, "hakit.endpoint.state", "{endpoint}", "1 for the current state of the endpoint, 0 for each other state."),
        new(Gauge.EndpointInFlight, "hakit.endpoint.in_flight", "{attempt}", "Attempts in flight on the endpoint. A stream counts until it ends."),
        new(Gauge.EndpointShare, "hakit.endpoint.ramp", null, "The factor on the endpoint's weight: 1 in ordinary service, between 0 and 1 in slow start, 0 while the endpoint is not admitted."),
        new(Gauge.EndpointLimitUtilization, "hakit.endpoint.limit.utilization", null, "The used share of a limit of the endpoint or of its account."),
        new(Gauge.EndpointAvailability, "hakit.endpoint.availability", null, "The share of the time in which the endpoint could take traffic."),
        new(Gauge.QueueLength, "hakit.queue.length", "{call}", "Calls that wait for an endpoint."),
        new(Gauge.BudgetLevel, "hakit.budget.level", "{retry}", "The balance of the retry budget. One retry or hedge takes RetryBudget:Cost from this balance."),
        new(Gauge.PoolUtilization, "hakit.pool.utilization", null, "How full the serving endpoints are: the mean, weighted by Weight. 1 is full."),
        new(Gauge.WantedEndpoints, "hakit.scale.wanted_endpoints", "{endpoint}", "How many serving endpoints the load needs."),
        new(Gauge.RedundancyLost, "hakit.redundancy.lost", null, "The share of calls that would wait or fail if the failure domain were lost now."),
        new(Gauge.PoolAvailability, "hakit.pool.availability", null, "The availability of the pool: delivered to callers, observed, or predicted from the availability of its endpoints."),
        new(Gauge.SloTarget, "hakit.slo.target", null, "The availability objective of the pool."),
        new(Gauge.SloBudgetLeft, "hakit.slo.budget_left", null, "The share of the error budget that is left. Negative if more than the budget is spent."),
        new(Gauge.SloBurnRate, "hakit.slo.burn_rate", null, "How fast the error budget is spent in a window. 1: the budget is used up exactly at the end of the period."),
        new(Gauge.PeerLinkConnected, "hakit.peers.connected", null, "1 while the link to the other replicas works, otherwise 0."),
        new(Gauge.PeerLinkAge, "hakit.peers.age", "s", "The time since the last answer of the store that the replicas share."),
        new(Gauge.PeerLinkLag, "hakit.peers.lag", "s", "How long the latest answer of the store that the replicas share took."),
        new(Gauge.PeerReplicas, "hakit.peers.replicas", "{replica}", "Replicas that were active lately, including this replica."),
    ];
}
