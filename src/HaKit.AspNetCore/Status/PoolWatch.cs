using HaKit.Availability;
using HaKit.Health;

namespace HaKit.AspNetCore.Status;

/// <summary>The recent history of one pool, for dashboards. The lock of its feed guards it.</summary>
internal sealed class PoolWatch(EndpointPool pool)
{
    private static readonly TimeSpan ReportHolds = TimeSpan.FromSeconds(2);

    // The report is kept for at least this time, because it replays the calls of the last minute without each failure domain in turn. With many endpoints and
    // many calls this takes up to seconds. So the report is also kept for 200 times as long as its calculation took. The calculations then use at most half a
    // percent of one core.
    private static readonly TimeSpan RedundancyHolds = TimeSpan.FromSeconds(5);
    private const int RedundancyRest = 200;

    private readonly PoolHistory _history = new();
    private AvailabilityReport? _report;
    private long _failuresBefore;
    private RedundancyReport? _redundancy;
    private TimeSpan _redundancyDue;

    public EndpointPool Pool => pool;

    public void Step()
    {
        var status = pool.GetStatus();
        _history.Add(status);
        if (status.OutageSince is null)
            _failuresBefore = pool.GetAvailabilityReport().Calls.Failures;
    }

    public PoolView View(bool isWhole)
    {
        var status = pool.GetStatus();
        if (_report is null || status.Now - _report.Now > ReportHolds)
            _report = pool.GetAvailabilityReport();
        if (_redundancy is null || status.Now > _redundancyDue)
        {
            var began = pool.Time.GetTimestamp();
            _redundancy = pool.GetRedundancy();
            var rest = RedundancyRest * pool.Time.GetElapsedTime(began);
            _redundancyDue = status.Now + (rest > RedundancyHolds ? rest : RedundancyHolds);
        }
        return StatusViews.From(status, pool.MeasureLoad(), _report, _redundancy, _history, isWhole) with
        {
            LostInOutage = status.OutageSince is null ? null : Math.Max(0, _report.Calls.Failures - _failuresBefore),
            Fleet = FleetView.From(pool.GetFleetStatus()),
        };
    }

    /// <summary>Returns true if an event is shown to people. Single failures, which make an endpoint suspect until the next success, are not shown.</summary>
    public static bool IsOfNote(PoolEvent happened) => happened is not EndpointChanged changed
        || changed is EndpointEjected or EndpointRecovered
        || IsNewCooldown(changed)
        || changed.After.Status != changed.Before.Status && !(IsPlain(changed.Before) && IsPlain(changed.After)) && !IsTrial(changed);

    // The start of a trial, and its end without a result, are shown only in the endpoint's row. Failed trials share one line of the event log.
    private static bool IsTrial(EndpointChanged changed) => changed.After.Status == EndpointHealthStatus.Trial || changed.Before.Status == EndpointHealthStatus.Trial && changed.After.Status == EndpointHealthStatus.Ejected;

    /// <summary>Returns true if a cooldown starts, or changes into one that lasts until a person repairs the cause.</summary>
    public static bool IsNewCooldown(EndpointChanged changed) => changed.After.CooldownUntil is { } until
        && (changed.Before.CooldownUntil is not { } before || until == TimeSpan.MaxValue && before != TimeSpan.MaxValue);

    private static bool IsPlain(HealthState state) => state.Status is EndpointHealthStatus.Healthy or EndpointHealthStatus.Suspect;
}
