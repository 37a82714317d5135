namespace HaKit.Availability;

/// <summary>
/// Alerts evaluated again and again on live counters; tells which began or stopped to fire, for events and metrics. Not
/// thread-safe: call <see cref="Evaluate"/> from one loop. Other threads may write the counters at the same time.
/// </summary>
public sealed class BurnRateMonitor
{
    private readonly BurnRateStatus[] _statuses;
    private readonly OutcomeCounters _outcomes;

    /// <summary>Watches counters.</summary>
    /// <param name="slo">The objective whose budget burns.</param>
    /// <param name="outcomes">The counters; they must reach back as far as the longest window.</param>
    /// <param name="alerts">The alerts to evaluate; null for <see cref="BurnRateAlert.Standard"/>.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException">An alert can never fire under this objective, or looks back further than the counters.</exception>
    public BurnRateMonitor(Slo slo, OutcomeCounters outcomes, IReadOnlyList<BurnRateAlert>? alerts = null)
    {
        ArgumentNullException.ThrowIfNull(slo);
        Slo = slo;
        _outcomes = outcomes;
        alerts ??= BurnRateAlert.Standard(slo);
        _statuses = new BurnRateStatus[alerts.Count];
        for (var i = 0; i < _statuses.Length; i++)
        {
            alerts[i].RequireUsable(slo, outcomes);
            _statuses[i] = new BurnRateStatus(alerts[i], false, 0, 0, 0);
        }
    }

    /// <summary>The objective.</summary>
    public Slo Slo { get; }

    /// <summary>Gets the results of the latest evaluation, in the order of the alerts.</summary>
    public IReadOnlyList<BurnRateStatus> Statuses => _statuses;

    /// <summary>Evaluates every alert; allocates only when one changed.</summary>
    /// <param name="now">The time, on the clock that the outcomes were recorded with.</param>
    /// <returns>The alerts that started or stopped firing since the previous evaluation.</returns>
    public IReadOnlyList<BurnRateStatus> Evaluate(TimeSpan now)
    {
        List<BurnRateStatus>? changed = null;
        for (var i = 0; i < _statuses.Length; i++)
        {
            var status = _statuses[i].Alert.Evaluate(Slo, _outcomes, now);
            if (status.Firing != _statuses[i].Firing)
                (changed ??= []).Add(status);
            _statuses[i] = status;
        }

        return changed ?? (IReadOnlyList<BurnRateStatus>)[];
    }
}
