namespace HaKit.Availability;

/// <summary>
/// Evaluates alerts repeatedly on live counters and returns which alerts started or stopped firing, for events and metrics. Not
/// thread-safe: call <see cref="Evaluate"/> from one loop. Other threads may write the counters at the same time.
/// </summary>
public sealed class BurnRateMonitor
{
    private readonly BurnRateStatus[] _statuses;
    private readonly OutcomeCounters _outcomes;

    /// <summary>Creates a monitor.</summary>
    /// <param name="slo">The objective whose budget is used.</param>
    /// <param name="outcomes">The counters; they must cover the longest window.</param>
    /// <param name="alerts">The alerts to evaluate; null for <see cref="BurnRateAlert.Standard"/>.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException">An alert can never fire under this objective, or its window is longer than the counters cover.</exception>
    public BurnRateMonitor(Slo slo, OutcomeCounters outcomes, IReadOnlyList<BurnRateAlert>? alerts = null)
    {
        ArgumentNullException.ThrowIfNull(slo);
        ArgumentNullException.ThrowIfNull(outcomes);
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

    /// <summary>Gets the objective.</summary>
    public Slo Slo { get; }

    /// <summary>Gets the results of the latest evaluation, in the order of the alerts.</summary>
    public IReadOnlyList<BurnRateStatus> Statuses => _statuses;

    /// <summary>Evaluates every alert. Allocates only when an alert changes.</summary>
    /// <param name="now">The time, on the clock of the recorded outcomes.</param>
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
