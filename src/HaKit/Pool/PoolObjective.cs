using System.Collections.Concurrent;
using HaKit.Attempts;
using HaKit.Availability;
using HaKit.Health;

namespace HaKit.Pool;

/// <summary>
/// Records the times at which the pool's endpoints were up, and the outcomes of its calls. It evaluates the alerts of the objective every 30 s. A lock orders
/// these evaluations; recording takes no lock. Thread-safe.
/// </summary>
internal sealed class PoolObjective : IDisposable
{
    private static readonly TimeSpan AlertPeriod = TimeSpan.FromSeconds(30);

    private readonly Lock _gate = new();
    private readonly ConcurrentDictionary<EndpointHealth, UptimeHistory> _uptimes = new();
    private readonly OutcomeCounters _outcomes = new();
    private readonly PoolClock _clock;
    private readonly CurrentOptions _options;
    private readonly CurrentSnapshot _snapshot;
    private readonly PoolJournal _journal;
    private readonly ITimer _timer;
    private BurnRateMonitor? _burn;

    public PoolObjective(PoolClock clock, CurrentOptions options, CurrentSnapshot snapshot, PoolJournal journal)
    {
        (_clock, _options, _snapshot, _journal) = (clock, options, snapshot, journal);
        _timer = clock.Time.NewTimer(static objective => ((PoolObjective)objective!).Evaluate(), this);
    }

    /// <summary>Starts the history of a new endpoint. A new endpoint counts as up.</summary>
    public void Watch(EndpointHealth endpoint) => _uptimes[endpoint] = new UptimeHistory(_clock.Now);

    public void Unwatch(EndpointHealth endpoint) => _uptimes.TryRemove(endpoint, out _);

    public void RecordCall(TimeSpan at, bool isServed) => _outcomes.Record(at, isServed);

    /// <summary>Records whether the endpoint is up after the change.</summary>
    public void OnHealthChanged(HealthChange change)
    {
        if (!_uptimes.TryGetValue(change.Endpoint, out var history))
            return;
        var now = _clock.Now;
        // The end of a cooldown is a time and not a change: the next change comes later, perhaps with the next outage. So the state before the change already
        // admits calls, and the end of the cooldown is recorded first, with its own time.
        if (change.Before is { IsInService: true, Cooldown: { } cooldown } && cooldown.Until <= now)
            history.Record(cooldown.Until, up: true);
        history.Record(now, change.After.Admits(now));
    }

    /// <summary>Gets the time since which the endpoint takes no ordinary traffic. Null if it takes ordinary traffic.</summary>
    public TimeSpan? DownSince(EndpointHealth endpoint) => _uptimes.TryGetValue(endpoint, out var history) ? history.DownSince : null;

    public AvailabilityReport Report()
    {
        var records = new List<EndpointRecord>();
        foreach (var member in _snapshot.Value.Members)
        {
            if (_uptimes.TryGetValue(member.Health, out var history))
                records.Add(new EndpointRecord(member.Endpoint.Name, history));
        }

        return AvailabilityReport.Create(_clock.Now, [.. records], _outcomes, _options.Value.Objective?.ToSlo());
    }

    /// <summary>Gets the alerts of the objective, as they were last evaluated. Empty without an objective.</summary>
    public IReadOnlyList<BurnRateStatus> Alerts
    {
        get
        {
            lock (_gate)
                return [.. _burn?.Statuses ?? []];
        }
    }

    /// <summary>
    /// Applies the objective of the current options. Firing alerts that no longer apply are resolved; alerts that continue to fire are not repeated.
    /// </summary>
    public void UseOptions()
    {
        lock (_gate)
        {
            var slo = _options.Value.Objective?.ToSlo();
            if (slo == _burn?.Slo)
                return;
            var before = _burn?.Statuses ?? [];
            _burn = slo is null ? null : new BurnRateMonitor(slo, _outcomes);
            RecordDifferencesWhileLocked(before, _burn?.Evaluate(_clock.Now) ?? []);
            var period = slo is null ? Timeout.InfiniteTimeSpan : AlertPeriod;
            _timer.Change(period, period);
        }
    }

    public void Dispose() => _timer.Dispose();

    private void RecordDifferencesWhileLocked(IReadOnlyList<BurnRateStatus> before, IReadOnlyList<BurnRateStatus> after)
    {
        foreach (var status in before)
        {
            if (status.Firing && !after.Any(s => s.Alert.Name == status.Alert.Name))
                _journal.RecordBudgetAlert(status with { Firing = false });
        }

        foreach (var status in after)
        {
            if (!before.Any(s => s.Firing && s.Alert.Name == status.Alert.Name))
                _journal.RecordBudgetAlert(status);
        }
    }

    private void Evaluate()
    {
        lock (_gate)
        {
            foreach (var status in _burn?.Evaluate(_clock.Now) ?? [])
                _journal.RecordBudgetAlert(status);
        }
    }
}
