namespace HaKit.Availability;

/// <summary>The observations of one endpoint for a report.</summary>
/// <param name="Name">Unique within the pool.</param>
/// <param name="History">The endpoint's times up and down.</param>
/// <param name="Outcomes">The outcomes of the endpoint's calls; null when they are not counted.</param>
public readonly record struct EndpointRecord(string Name, UptimeHistory History, OutcomeCounters? Outcomes = null);

/// <summary>
/// The availability of a pool: observed, delivered, and predicted from its endpoints. Calculated
/// from the records when the report is created. Immutable and thread-safe.
/// </summary>
public sealed record AvailabilityReport
{
    private AvailabilityReport()
    {
    }

    /// <summary>Gets the time of the report, on the clock of the records.</summary>
    public TimeSpan Now { get; private init; }

    /// <summary>Gets the objective to which the error budget belongs.</summary>
    public required Slo Slo { get; init; }

    /// <summary>Gets the endpoints, in the given order.</summary>
    public required IReadOnlyList<EndpointAvailability> Endpoints { get; init; }

    /// <summary>Gets how often the endpoints were down at the same time.</summary>
    public required JointDowntime Joint { get; init; }

    /// <summary>Gets the share of the time in which enough endpoints were up; null before any time has passed.</summary>
    public AvailabilityRatio? Observed { get; private init; }

    /// <summary>
    /// Gets the prediction for the pool from the observed availabilities of the endpoints: k of n with the estimated β as common cause. Null until each
    /// endpoint has been observed. If joint outages are rare, it is more precise than <see cref="Observed"/>.
    /// </summary>
    public AvailabilityRatio? Predicted { get; private init; }

    /// <summary>
    /// Gets the same prediction under the assumption that the endpoints fail independently. The difference to <see cref="Predicted"/> is the effect of common
    /// causes.
    /// </summary>
    public AvailabilityRatio? PredictedIfIndependent { get; private init; }

    /// <summary>Gets the pool's calls within the objective's period.</summary>
    public OutcomeCount Calls { get; private init; }

    /// <summary>Gets the delivered availability: the share of successful calls within the objective's period; null without calls.</summary>
    public AvailabilityRatio? Delivered => Calls.Delivered;

    /// <summary>Gets the Clopper–Pearson bounds of the delivered availability; null without calls.</summary>
    public AvailabilityInterval? DeliveredBounds { get; private init; }

    /// <summary>Gets the remaining share of the error budget, 1 − failures/(U·calls). Negative when the budget is exceeded, 1 without calls.</summary>
    public double ErrorBudgetLeft { get; private init; }

    /// <summary>Gets the states of the burn-rate alerts.</summary>
    public required IReadOnlyList<BurnRateStatus> Alerts { get; init; }

    /// <summary>Creates a report. The records may be written at the same time.</summary>
    /// <param name="now">The time, on the records' clock.</param>
    /// <param name="endpoints">The endpoints. If there is none, the report has only the outcomes of calls.</param>
    /// <param name="calls">The outcomes of the pool's calls, as the callers observed them.</param>
    /// <param name="slo">The objective; null for <see cref="Slo.Default"/>. The counters should cover its period.</param>
    /// <param name="required">The number of endpoints that must be up to carry the load, from 1 to the number of endpoints (without endpoints, 1). Default 1.</param>
    /// <param name="confidence">The confidence of all bounds, strictly between 0 and 1. Default 0.95.</param>
    /// <param name="alerts">The alerts to evaluate; null: the alerts of <see cref="BurnRateAlert.Standard"/>, without alerts that have a longer window than the counters.</param>
    /// <exception cref="ArgumentNullException"><paramref name="endpoints"/> or <paramref name="calls"/> is null.</exception>
    /// <exception cref="ArgumentException">An alert can never fire.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A value is NaN or outside its range.</exception>
    public static AvailabilityReport Create(
        TimeSpan now,
        IReadOnlyList<EndpointRecord> endpoints,
        OutcomeCounters calls,
        Slo? slo = null,
        int required = 1,
        double confidence = 0.95,
        IReadOnlyList<BurnRateAlert>? alerts = null)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        ArgumentNullException.ThrowIfNull(calls);
        Guard.OpenProbability(confidence);
        slo ??= Slo.Default;
        var summaries = new UptimeSummary[endpoints.Count];
        var reports = new EndpointAvailability[endpoints.Count];
        for (var i = 0; i < summaries.Length; i++)
        {
            summaries[i] = endpoints[i].History.Summarize(now);
            reports[i] = new EndpointAvailability(endpoints[i].Name, summaries[i], endpoints[i].Outcomes?.Count(now, slo.Period), confidence);
        }

        Guard.Between(1, Math.Max(1, summaries.Length), required);
        var joint = summaries.Length > 0 ? JointDowntime.Measure(summaries, required) : JointDowntime.Unknown;
        var count = calls.Count(now, slo.Period);
        return new AvailabilityReport
        {
            Now = now,
            Slo = slo,
            Endpoints = reports,
            Joint = joint,
            Observed = joint.Observed > TimeSpan.Zero ? AvailabilityRatio.FromDowntime(joint.Observed, joint.TooFewUp) : null,
            Predicted = Predict(reports, required, joint.Beta ?? 0),
            PredictedIfIndependent = Predict(reports, required, 0),
            Calls = count,
            DeliveredBounds = count.Total > 0 ? Estimate.ClopperPearson(count.Successes, count.Total, confidence) : null,
            ErrorBudgetLeft = 1 - slo.Consumed(count.Failures, count.Total),
            Alerts = [.. (alerts ?? Reachable(slo, calls)).Select(alert => alert.Evaluate(slo, calls, now))],
        };
    }

    private static IReadOnlyList<BurnRateAlert> Reachable(Slo slo, OutcomeCounters calls) =>
        [.. BurnRateAlert.Standard(slo).Where(alert => alert.LongWindow <= calls.Horizon)];

    private static AvailabilityRatio? Predict(EndpointAvailability[] endpoints, int required, double beta)
    {
        if (endpoints.Length == 0)
            return null;
        var components = new ReliabilityComponent[endpoints.Length];
        for (var i = 0; i < components.Length; i++)
        {
            if (endpoints[i].Observed is not { } observed)
                return null;
            components[i] = ReliabilityBlock.Component(endpoints[i].Name, observed);
        }

        return ReliabilityBlock.KofN(required, ReliabilityBlock.WithCommonCause(beta, components)).Availability;
    }
}

/// <summary>The availability of one endpoint in a report. Immutable and thread-safe.</summary>
public sealed record EndpointAvailability
{
    internal EndpointAvailability(string name, UptimeSummary uptime, OutcomeCount? calls, double confidence)
    {
        Name = name;
        Uptime = uptime;
        Calls = calls;
        Bounds = uptime.Bounds(confidence);
        MttfBounds = uptime.MttfBounds(confidence);
        MttrBounds = uptime.MttrBounds(confidence);
    }

    /// <summary>Gets the endpoint's name.</summary>
    public string Name { get; }

    /// <summary>Gets the endpoint's totals and latest outages.</summary>
    public UptimeSummary Uptime { get; }

    /// <summary>Gets the share of the time that the endpoint was up; null before any time has passed.</summary>
    public AvailabilityRatio? Observed => Uptime.Observed;

    /// <summary>Gets the bounds of the endpoint's availability; 0 to 1 until it has failed and recovered.</summary>
    public AvailabilityInterval Bounds { get; }

    /// <summary>Gets the mean time to failure; null without a failure.</summary>
    public TimeSpan? Mttf => Uptime.Mttf;

    /// <summary>Gets the bounds of the mean time to failure; null before any time up.</summary>
    public DurationInterval? MttfBounds { get; }

    /// <summary>Gets the mean time to repair; null without a repair.</summary>
    public TimeSpan? Mttr => Uptime.Mttr;

    /// <summary>Gets the bounds of the mean time to repair; null before any time down.</summary>
    public DurationInterval? MttrBounds { get; }

    /// <summary>Gets the endpoint's calls within the objective's period; null when they are not counted.</summary>
    public OutcomeCount? Calls { get; }

    /// <summary>Gets the share of the endpoint's successful calls; null without calls.</summary>
    public AvailabilityRatio? Delivered => Calls?.Delivered;
}
