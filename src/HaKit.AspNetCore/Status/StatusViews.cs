using HaKit.Availability;
using HaKit.Health;

namespace HaKit.AspNetCore.Status;

/// <summary>Converts the status of pools to the data that the page shows.</summary>
internal static class StatusViews
{
    public static PoolView From(PoolStatus status, ScaleSignal scale, AvailabilityReport report, RedundancyReport redundancy, PoolHistory history, bool isWhole)
    {
        var losses = redundancy.Domains.Where(static d => !d.IsWholePool).ToArray();
        var ofEndpoints = losses.Where(static d => d.Domain == RedundancyDomain.Endpoint).ToDictionary(static d => d.Name, static d => (double?)Round(d.LostShare, 3), StringComparer.Ordinal);
        var availability = new Dictionary<string, double?>(StringComparer.Ordinal);
        foreach (var endpoint in report.Endpoints)
            availability[endpoint.Name] = endpoint.Observed is { } known ? Round(known.Value, 7) : null;
        return new PoolView
        {
            Name = status.Pool,
            State = StateOf(status, report),
            Serving = status.Serving,
            FirstTier = status.FirstTier,
            ServingTier = status.ServingTier,
            InFlight = scale.InFlight,
            Unreachable = status.IsUnreachable,
            OutageSince = status.OutageSince is { } outage ? TruncateToMilliseconds(outage) : null,
            LastAnsweredAt = status.LastAnsweredAt is { } answered ? TruncateToMilliseconds(answered) : null,
            Waiting = status.Waiting,
            MaxWaiting = status.MaxWaiting,
            OldestWait = status.OldestWait is { } oldest ? Round(oldest.TotalSeconds, 1) : null,
            FirstGivesUpIn = status.FirstGivesUpIn is { } ends ? Round(ends.TotalSeconds, 1) : null,
            RetryBudget = Round(status.RetryBudget, 1),
            Utilization = scale.Utilization is { } used ? Round(used, 3) : null,
            WantedEndpoints = scale.WantedEndpoints,
            Availability = AvailabilityViews.From(report, status.Waiting),
            Troubles = Troubles.Find(status),
            Losses = [.. losses.Select(l => new LossView(l.Domain.ToString().ToLowerInvariant(), l.Name, Round(l.LostShare, 3), l.ToString()))],
            Endpoints = [.. status.Endpoints.Select(e => From(e, status, availability.GetValueOrDefault(e.Endpoint.Name), history, isWhole) with { LostShare = ofEndpoints.GetValueOrDefault(e.Endpoint.Name) })],
        };
    }

    private static string StateOf(PoolStatus status, AvailabilityReport report)
    {
        if (status.ServingTier is null)
            return "outage";
        var isDegraded = status.Serving < status.Endpoints.Count || status.ServingTier != status.FirstTier || report.Alerts.Any(static a => a.Firing);
        return isDegraded ? "degraded" : "well";
    }

    public static ExplainView From(string pool, IReadOnlyList<EndpointExplanation> endpoints) => new("hakit.explain/1", pool, [.. endpoints.Select(e => new ExplainedView(
        e.Endpoint, e.Tier, e.Health.Status.ToString(), e.NotAdmittedBy, e.AvailableIn?.TotalSeconds, Round(e.SlowStartShare, 3), e.InFlight, Round(e.FailureEstimate, 4),
        Round(e.FirstContentSeconds), Round(e.OutputTokenSeconds), Round(e.Score.Time, 4), Round(e.Score.Failure, 4), Round(e.Score.Zone, 4), Round(e.Score.Price, 4), Round(e.Score.Total, 4)))]);

    private static EndpointView From(EndpointStatus status, PoolStatus pool, double? availability, PoolHistory history, bool isWhole)
    {
        var (endpoint, health) = (status.Endpoint, status.Health);
        var isCooling = health.CooldownUntil > pool.Now;
        return new EndpointView
        {
            Name = endpoint.Name,
            Address = endpoint.Address?.GetLeftPart(UriPartial.Authority) is { } root ? WithoutUser(endpoint.Address, root) : null,
            Tier = endpoint.Tier,
            Weight = endpoint.Weight,
            Zone = endpoint.Zone,
            Provider = endpoint.Domains.Provider,
            Model = endpoint.Domains.Model,
            State = health.Status.ToString(),
            Serves = status.Serves,
            Since = TruncateToMilliseconds(status.Since),
            OutSince = status.OutSince is { } outSince ? TruncateToMilliseconds(outSince) : null,
            LacksModel = status.LacksModel,
            Cause = health.Cause?.ToString(),
            Until = At(health.Until),
            CooldownUntil = isCooling && health.CooldownUntil != TimeSpan.MaxValue ? At(health.CooldownUntil) : null,
            CooldownForGood = isCooling && health.CooldownUntil == TimeSpan.MaxValue,
            CooldownCause = isCooling ? health.CooldownCause?.ToString() : null,
            SlowStartShare = Round(status.SlowStartShare, 3),
            Ejections = health.Ejections,
            InFlight = status.InFlight,
            Attempts = status.Attempts,
            Faults = status.Faults,
            FailureEstimate = Round(status.FailureEstimate, 3),
            Availability = availability,
            Limits = status.Limits.Count == 0 ? null : status.Limits,
            Heartbeat = status.Heartbeat is { } beat
                ? new HeartbeatView(Round((pool.Now - beat.At).TotalSeconds, 1), Round(beat.Took.TotalMilliseconds, 1), beat.Level.ToString(), beat.Fault?.ToString())
                : null,
            Load = status.ReportedLoad is { } load ? new LoadView(load.Running, load.Waiting, load.Capacity) : null,
            StreamTimes = From(status.StreamTimes),
            AnswerTimes = From(status.AnswerTimes),
            History = isWhole ? history.ViewOf(endpoint.Name) : null,
            Last = isWhole ? null : history.Last(endpoint.Name),
        };

        DateTimeOffset? At(TimeSpan? time) => time is { } known && known != TimeSpan.MaxValue ? TruncateToMilliseconds(pool.At + (known - pool.Now)) : null;
    }

    private static long[]? From(AnswerQuantiles? times) =>
        times is { } known ? [(long)Math.Round(known.Median.TotalMilliseconds), (long)Math.Round(known.P95.TotalMilliseconds)] : null;

    private static string WithoutUser(Uri address, string root) => address.UserInfo.Length == 0 ? root : $"{address.Scheme}://{address.Authority}";

    private static DateTimeOffset TruncateToMilliseconds(DateTimeOffset time) => new(time.Ticks - time.Ticks % TimeSpan.TicksPerMillisecond, time.Offset);

    private static double? Round(double? value) => value is { } known ? Round(known, 4) : null;

    private static double Round(double value, int digits) => double.IsFinite(value) ? Math.Round(value, digits) : 0;
}
