using System.Collections.Concurrent;
using HaKit.Availability;
using HaKit.Faults;
using HaKit.Health;

namespace HaKit;

/// <content>Keeps the pool's own record: when its endpoints were up, and how its calls ended.</content>
public sealed partial class EndpointPool
{
    private static readonly TimeSpan AlertsEvery = TimeSpan.FromSeconds(30);

    private readonly ConcurrentDictionary<EndpointHealth, UptimeHistory> _uptimes = new();
    private readonly OutcomeCounters _outcomes = new();
    private readonly Lock _objective = new();
    private BurnRateMonitor? _burn;
    private ITimer? _burnTimer;

    /// <summary>
    /// The availability observed since the pool was made: of each endpoint with bounds, of the pool as predicted from them and as delivered to callers,
    /// how far endpoints fail together, and what is left of the error budget. An endpoint counts as up while it may take ordinary traffic; a call counts
    /// as failed unless it was served, was the request's own fault, or its caller went away.
    /// </summary>
    public AvailabilityReport GetAvailabilityReport()
    {
        var now = _clock.Now;
        var records = new List<EndpointRecord>();
        foreach (var member in _engine.Snapshot.Members)
            if (_uptimes.TryGetValue(member.Health, out var history))
                records.Add(new EndpointRecord(member.Endpoint.Name, history));
        return AvailabilityReport.Create(now, [.. records], _outcomes, Options.Objective?.ToSlo());
    }

    private EndpointHealth Recorded(EndpointHealth health)
    {
        _uptimes[health] = new UptimeHistory(_clock.Now);
        return health;
    }

    private void Record(in HealthChange change, TimeSpan now)
    {
        var up = change.After.Admits(now);
        if (up != change.Before.Admits(now) && _uptimes.TryGetValue(change.Endpoint, out var history))
            history.Record(now, up);
    }

    private void WatchObjective()
    {
        lock (_objective)
        {
            var slo = Options.Objective?.ToSlo();
            if (slo == _burn?.Slo)
                return;
            var before = _burn?.Statuses ?? [];
            _burn = slo is null ? null : new BurnRateMonitor(slo, _outcomes);
            _burnTimer?.Dispose();
            _burnTimer = null;
            var firing = _burn?.Evaluate(_clock.Now) ?? [];
            foreach (var status in before)
                if (status.Firing && !firing.Any(s => s.Alert.Name == status.Alert.Name))
                    Tell(status with { Firing = false });
            foreach (var status in firing)
                if (!before.Any(s => s.Firing && s.Alert.Name == status.Alert.Name))
                    Tell(status);
            if (slo is null)
                return;
            var flow = ExecutionContext.IsFlowSuppressed() ? default : ExecutionContext.SuppressFlow();
            using (flow)
                _burnTimer = _clock.Time.CreateTimer(static pool => ((EndpointPool)pool!).JudgeObjective(), this, AlertsEvery, AlertsEvery);
        }
    }

    private void JudgeObjective()
    {
        lock (_objective)
            foreach (var status in _burn?.Evaluate(_clock.Now) ?? [])
                Tell(status);
    }

    private void Tell(in BurnRateStatus status)
    {
        Log(status);
        if (Events.AreWatched)
            Events.Publish(new BudgetAlert { Pool = Name, At = Events.Now, Status = status });
    }
}

/// <summary>How available the pool is meant to be. Not thread-safe; read when the pool takes it.</summary>
public sealed class ObjectiveOptions
{
    /// <summary>Percent of calls to be answered well. Default 99.9; above 0 and below 100.</summary>
    public decimal TargetPercent { get; set; } = 99.9m;

    /// <summary>The period it is held over. Default 30 days.</summary>
    public TimeSpan Period { get; set; } = TimeSpan.FromDays(30);

    internal Slo ToSlo() => new(Availability.Availability.Of(TargetPercent / 100), Period);

    internal IEnumerable<string> Validate(string path)
    {
        if (TargetPercent is <= 0 or >= 100)
            yield return $"{path}:TargetPercent is {TargetPercent}: above 0 and below 100 is needed.";
        if (Period <= TimeSpan.Zero)
            yield return $"{path}:Period is {Period}: more than 0 is needed.";
    }
}
