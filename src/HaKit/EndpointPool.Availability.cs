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
    private BurnRateMonitor? _burn;

    /// <summary>
    /// The availability observed since the pool was made: of each endpoint with bounds, of the pool as predicted from them and as delivered to callers,
    /// how far endpoints fail together, and what is left of the error budget. An endpoint counts as up while it may take ordinary traffic; a call counts
    /// as failed unless it was served, was the request's own fault, or its caller went away.
    /// </summary>
    public AvailabilityReport GetAvailabilityReport()
    {
        var now = _clock.Now;
        var members = Array.FindAll(_engine.Snapshot.Members, m => _uptimes.ContainsKey(m.Health));
        return AvailabilityReport.Create(now, Array.ConvertAll(members, m => new EndpointRecord(m.Endpoint.Name, _uptimes[m.Health])), _outcomes, Options.Objective?.ToSlo());
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
        if (Options.Objective is not { } objective)
            return;
        _burn = new BurnRateMonitor(objective.ToSlo(), _outcomes);
        Owns(_clock.Time.CreateTimer(static pool => ((EndpointPool)pool!).JudgeObjective(), this, AlertsEvery, AlertsEvery));
    }

    private void JudgeObjective()
    {
        foreach (var status in _burn!.Evaluate(_clock.Now))
        {
            Log(status);
            if (Events.AreWatched)
                Events.Publish(new BudgetAlert { Pool = Name, At = Events.Now, Status = status });
        }
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
