using System.Diagnostics.Metrics;
using HaKit.Attempts;
using HaKit.Availability;
using HaKit.Failover;
using HaKit.Health;
using HaKit.Telemetry;

namespace HaKit.Pool;

/// <summary>Reads the gauges of a pool when an exporter collects them. One collection reads several gauges from one report. Thread-safe.</summary>
internal sealed class PoolGauges : IDisposable
{
    private static readonly EndpointHealthStatus[] Statuses = Enum.GetValues<EndpointHealthStatus>();
    private static readonly TimeSpan ReportAge = TimeSpan.FromSeconds(1);

    private readonly KeyValuePair<string, object?> _pool;
    private readonly PoolClock _clock;
    private readonly CurrentSnapshot _snapshot;
    private readonly FailoverEngine _engine;
    private readonly PoolLoad _load;
    private readonly PoolRedundancy _redundancy;
    private readonly PoolObjective _objective;
    private readonly PoolPeers _peers;
    private readonly GaugeSource _source;
    private AvailabilityReport? _report;

    public PoolGauges(PoolTelemetry telemetry, PoolClock clock, CurrentSnapshot snapshot, FailoverEngine engine, PoolLoad load, PoolRedundancy redundancy, PoolObjective objective, PoolPeers peers)
    {
        (_pool, _clock, _snapshot, _engine, _load, _redundancy, _objective, _peers) = (telemetry.Pool, clock, snapshot, engine, load, redundancy, objective, peers);
        _source = telemetry.Instruments.Add(Measure);
    }

    public void Dispose() => _source.Dispose();

    /// <exception cref="ArgumentOutOfRangeException">This class reads no such gauge.</exception>
    internal void Measure(Gauge gauge, List<Measurement<double>> into)
    {
        switch (gauge)
        {
            case Gauge.EndpointState or Gauge.EndpointInFlight or Gauge.EndpointShare or Gauge.EndpointLimitUtilization:
                foreach (var member in _snapshot.Value.Members)
                    MeasureEndpoint(gauge, member, new(Tags.Endpoint, member.Endpoint.Name), into);
                break;
            case Gauge.QueueLength:
                into.Add(new(_engine.Queue.Count, _pool));
                break;
            case Gauge.BudgetLevel:
                into.Add(new(_engine.Budget.Level, _pool));
                break;
            case Gauge.PoolUtilization:
                AddIfKnown(_load.Measure().Utilization, into);
                break;
            case Gauge.WantedEndpoints:
                AddIfKnown(_load.Measure().WantedEndpoints, into);
                break;
            case Gauge.RedundancyLost:
                // The loss of the whole pool is the same at any time, so it is left out.
                foreach (var loss in _redundancy.Report(null).Domains.Where(static d => !d.IsWholePool))
                    into.Add(new(loss.LostShare, _pool, new(Tags.Domain, loss.Domain.ToString()), new(Tags.DomainName, loss.Name)));
                break;
            case Gauge.PeerLinkConnected or Gauge.PeerLinkAge or Gauge.PeerLinkLag or Gauge.PeerReplicas:
                MeasurePeers(gauge, into);
                break;
            default:
                MeasureAvailability(gauge, RecentReport(), into);
                break;
        }
    }

    private void MeasurePeers(Gauge gauge, List<Measurement<double>> into)
    {
        if (_peers.Link is not { } link)
            return;
        AddIfKnown(
            gauge switch
            {
                Gauge.PeerLinkConnected => link.IsConnected ? 1 : 0,
                Gauge.PeerLinkAge => link.Age?.TotalSeconds,
                Gauge.PeerLinkLag => link.Lag?.TotalSeconds,
                _ => _peers.Replicas,
            },
            into);
    }

    private void AddIfKnown(double? value, List<Measurement<double>> into)
    {
        if (value is { } known)
            into.Add(new(known, _pool));
    }

    private void MeasureEndpoint(Gauge gauge, EndpointState member, KeyValuePair<string, object?> endpoint, List<Measurement<double>> into)
    {
        var health = member.Health.State;
        switch (gauge)
        {
            case Gauge.EndpointState:
                foreach (var status in Statuses)
                    into.Add(new(status == health.Status ? 1 : 0, _pool, endpoint, new(Tags.State, status.ToString())));
                break;
            case Gauge.EndpointInFlight:
                into.Add(new(member.InFlight, _pool, endpoint));
                break;
            case Gauge.EndpointShare:
                into.Add(new(health.Admits(_clock.Now) ? health.SlowStartShare(_clock.Now) : 0, _pool, endpoint));
                break;
            case Gauge.EndpointLimitUtilization:
                foreach (var use in LimitUse.Measure(member, _clock.Now))
                    into.Add(new(use.Used / use.Limit, _pool, endpoint, new(Tags.Limit, use.Name)));
                break;
            default:
                throw Unknown(gauge);
        }
    }

    private void MeasureAvailability(Gauge gauge, AvailabilityReport report, List<Measurement<double>> into)
    {
        switch (gauge)
        {
            case Gauge.EndpointAvailability:
                foreach (var endpoint in report.Endpoints)
                {
                    if (endpoint.Observed is { } observed)
                        into.Add(new(observed.Value, _pool, new(Tags.Endpoint, endpoint.Name)));
                }

                break;
            case Gauge.PoolAvailability:
                foreach (var (kind, known) in ((string, AvailabilityRatio?)[])[("delivered", report.Delivered), ("observed", report.Observed), ("predicted", report.Predicted)])
                {
                    if (known is { } value)
                        into.Add(new(value.Value, _pool, new(Tags.Kind, kind)));
                }

                break;
            case Gauge.SloTarget:
                into.Add(new(report.Slo.Target.Value, _pool));
                break;
            case Gauge.SloBudgetLeft:
                into.Add(new(report.ErrorBudgetLeft, _pool));
                break;
            case Gauge.SloBurnRate:
                foreach (var status in report.Alerts)
                {
                    var alert = new KeyValuePair<string, object?>(Tags.Alert, status.Alert.Name);
                    into.Add(new(status.LongBurn, _pool, alert, new(Tags.Window, "long")));
                    into.Add(new(status.ShortBurn, _pool, alert, new(Tags.Window, "short")));
                }
                break;
            default:
                throw Unknown(gauge);
        }
    }

    private AvailabilityReport RecentReport()
    {
        var report = Volatile.Read(ref _report);
        if (report is null || _clock.Now - report.Now > ReportAge)
            Volatile.Write(ref _report, report = _objective.Report());
        return report;
    }

    private static ArgumentOutOfRangeException Unknown(Gauge gauge) => new(nameof(gauge), gauge, "Nothing reads this gauge.");
}
