using System.Diagnostics.Metrics;
using HaKit.Availability;
using HaKit.Attempts;
using HaKit.Estimates;
using HaKit.Faults;
using HaKit.Health;
using HaKit.Limits;
using HaKit.Telemetry;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace HaKit;

/// <content>What the pool shows of itself: gauges, and a log line for each change of state.</content>
public sealed partial class EndpointPool
{
    private static readonly EndpointHealthStatus[] Statuses = Enum.GetValues<EndpointHealthStatus>();
    private static readonly TimeSpan ReportHolds = TimeSpan.FromSeconds(1);

    private PoolTelemetry _telemetry = null!;
    private ILogger _log = NullLogger.Instance;
    private AvailabilityReport? _report;

    private void StartTelemetry()
    {
        _telemetry = new PoolTelemetry(Instruments.Of(_parts.MeterFactory), Name, _clock.Time, Measure);
        if (_parts.LoggerFactory is { } loggers)
            _log = new SafeLogger(loggers.CreateLogger("HaKit.EndpointPool"));
    }

    private EndpointTelemetry TelemetryOf(PoolEndpoint endpoint) =>
        new(_telemetry, endpoint.Name, endpoint.Address, endpoint.Domains.Provider, endpoint.Domains.Model);

    private void Measure(Gauge gauge, List<Measurement<double>> into)
    {
        if (_engine is null)
            return; // still being made
        if (gauge is Gauge.EndpointState or Gauge.EndpointInFlight or Gauge.EndpointShare or Gauge.EndpointLimitUtilization)
            foreach (var member in _engine.Snapshot.Members)
                Measure(gauge, member, new(Tags.Endpoint, member.Endpoint.Name), into);
        else if (gauge is Gauge.QueueLength)
            Add(_engine.Queue.Count);
        else if (gauge is Gauge.BudgetLevel)
            Add(_engine.Budget.Level);
        else if (gauge is Gauge.PoolUtilization)
            Add(MeasureLoad().Utilization);
        else if (gauge is Gauge.WantedEndpoints)
            Add(MeasureLoad().WantedEndpoints);
        else
            MeasureAvailability(gauge, RecentReport(), into);

        void Add(double? value)
        {
            if (value is { } known)
                into.Add(new(known, _telemetry.Pool));
        }
    }

    private void Measure(Gauge gauge, EndpointState member, KeyValuePair<string, object?> endpoint, List<Measurement<double>> into)
    {
        var health = member.Health.State;
        switch (gauge)
        {
            case Gauge.EndpointState:
                foreach (var status in Statuses)
                    into.Add(new(status == health.Status ? 1 : 0, _telemetry.Pool, endpoint, new(Tags.State, status.ToString())));
                break;
            case Gauge.EndpointInFlight:
                into.Add(new(member.InFlight, _telemetry.Pool, endpoint));
                break;
            case Gauge.EndpointShare:
                into.Add(new(health.Admits(_clock.Now) ? health.SlowStartShare(_clock.Now) : 0, _telemetry.Pool, endpoint));
                break;
            default:
                foreach (var use in LimitUse.Of(member, _clock.Now))
                    into.Add(new(use.Used / use.Limit, _telemetry.Pool, endpoint, new(Tags.Limit, use.Name)));
                break;
        }
    }

    private void MeasureAvailability(Gauge gauge, AvailabilityReport report, List<Measurement<double>> into)
    {
        switch (gauge)
        {
            case Gauge.EndpointAvailability:
                foreach (var endpoint in report.Endpoints)
                    if (endpoint.Observed is { } observed)
                        into.Add(new(observed.Value, _telemetry.Pool, new(Tags.Endpoint, endpoint.Name)));
                break;
            case Gauge.PoolAvailability:
                foreach (var (kind, known) in ((string, Availability.Availability?)[])[("delivered", report.Delivered), ("observed", report.Observed), ("predicted", report.Predicted)])
                    if (known is { } value)
                        into.Add(new(value.Value, _telemetry.Pool, new(Tags.Kind, kind)));
                break;
            case Gauge.SloTarget:
                into.Add(new(report.Slo.Target.Value, _telemetry.Pool));
                break;
            case Gauge.SloBudgetLeft:
                into.Add(new(report.ErrorBudgetLeft, _telemetry.Pool));
                break;
            default:
                foreach (var status in report.Alerts)
                {
                    var alert = new KeyValuePair<string, object?>(Tags.Alert, status.Alert.Name);
                    into.Add(new(status.LongBurn, _telemetry.Pool, alert, new(Tags.Window, "long")));
                    into.Add(new(status.ShortBurn, _telemetry.Pool, alert, new(Tags.Window, "short")));
                }
                break;
        }
    }

    // One collection reads five gauges off it.
    private AvailabilityReport RecentReport()
    {
        var report = Volatile.Read(ref _report);
        if (report is null || _clock.Now - report.Now > ReportHolds)
            Volatile.Write(ref _report, report = GetAvailabilityReport());
        return report;
    }

    private void Log(in HealthChange change, bool isEjection, TimeSpan now)
    {
        var (before, after, endpoint) = (change.Before, change.After, change.Endpoint.Name);
        var fault = (change.Evidence.Fault ?? after.Cause)?.ToString() ?? "no fault";
        if (isEjection)
            _telemetry.Ejected(endpoint, (change.Evidence.Fault ?? after.Cause)?.KindName ?? nameof(FaultKind.Unknown));
        if (!_log.IsEnabled(LogLevel.Critical))
            return;
        var source = SourceOf(change).ToString();
        if (isEjection)
            PoolLog.Ejected(_log, Name, endpoint, ((after.Until ?? now) - now).TotalSeconds, fault, source);
        else if (after.IsInService && !before.IsInService)
            PoolLog.Recovered(_log, Name, endpoint, after.Status.ToString(), source);
        else if (after.Status != before.Status && IsOfNote(before.Status, after.Status))
            PoolLog.Changed(_log, Name, endpoint, before.Status.ToString(), after.Status.ToString(), source);
        else if (after.Status != before.Status)
            PoolLog.ChangedALittle(_log, Name, endpoint, before.Status.ToString(), after.Status.ToString(), fault, source);
        if (after.Cooldown is not { } cooldown || before.Cooldown is { } earlier && (earlier.IsUntilCleared || !cooldown.IsUntilCleared))
            return;
        if (cooldown.IsUntilCleared)
            PoolLog.CoolingUntilCleared(_log, Name, endpoint, cooldown.Cause.ToString());
        else
            PoolLog.Cooling(_log, Name, endpoint, (cooldown.Until - now).TotalSeconds, cooldown.Cause.ToString());
    }

    // A failure here and there makes an endpoint suspect, and a success well again: as often as calls fail.
    private static bool IsOfNote(EndpointHealthStatus before, EndpointHealthStatus after) =>
        after is EndpointHealthStatus.Draining or EndpointHealthStatus.ForcedDown || before == EndpointHealthStatus.SlowStart && after == EndpointHealthStatus.Healthy;

    private void Log(in BurnRateStatus status)
    {
        if (status.Firing)
            PoolLog.BudgetBurns(_log, Name, status.LongBurn, status.Alert.Name);
        else
            PoolLog.BudgetBurnsNoMore(_log, Name, status.Alert.Name);
    }

    private void LogOutage(TimeSpan? lasted)
    {
        if (lasted is { } length)
            PoolLog.OutageEnded(_log, Name, length.TotalSeconds);
        else
            PoolLog.OutageBegan(_log, Name);
    }
}
