namespace HaKit.Availability;

/// <summary>
/// A multi-window burn-rate alert. It fires while the burn rates of both windows reach the threshold. The long window shows that the failures are
/// significant. The short window shows that they still continue. Immutable and thread-safe.
/// </summary>
public sealed record BurnRateAlert
{
    /// <summary>Creates an alert.</summary>
    /// <param name="name">The alert's name in the event and the metric.</param>
    /// <param name="threshold">Burn rate; greater than zero.</param>
    /// <param name="longWindow">Greater than zero.</param>
    /// <param name="shortWindow">Greater than zero, at most <paramref name="longWindow"/>; usually a twelfth of it.</param>
    /// <exception cref="ArgumentException"><paramref name="name"/> is null or blank.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A value is NaN or outside its range.</exception>
    public BurnRateAlert(string name, double threshold, TimeSpan longWindow, TimeSpan shortWindow)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        Name = name;
        Threshold = Guard.Positive(threshold);
        LongWindow = Guard.Positive(longWindow);
        ShortWindow = Guard.Positive(shortWindow);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(shortWindow, longWindow);
    }

    /// <summary>Gets the alert's name in the event and the metric.</summary>
    public string Name { get; }

    /// <summary>Gets the burn rate at which the alert fires.</summary>
    public double Threshold { get; }

    /// <summary>Gets the long window, which shows that the error is significant.</summary>
    public TimeSpan LongWindow { get; }

    /// <summary>Gets the short window, which shows that the error still continues.</summary>
    public TimeSpan ShortWindow { get; }

    /// <summary>
    /// Gets the smallest number of failures in the long window with which the alert fires, at least 1. Default 5. With little traffic a
    /// single failure is a large ratio: one failure in fifty calls uses the budget of 99.9 % twenty times as fast as allowed.
    /// </summary>
    public int MinimumFailures
    {
        get;
        init => field = Guard.AtLeast(1, value, nameof(MinimumFailures));
    } = 5;

    /// <summary>
    /// Returns the three alerts of Google's SRE Workbook: 2 % of the budget in 1 h, 5 % in 6 h, 10 % in 3 d. Each short window is a twelfth of the long window.
    /// For a period of 30 days, the burn rates are 14.4, 6 and 1.
    /// </summary>
    /// <param name="slo">The objective. Alerts that could never fire for it and windows longer than its period are left out.</param>
    /// <exception cref="ArgumentNullException"><paramref name="slo"/> is null.</exception>
    public static IReadOnlyList<BurnRateAlert> Standard(Slo slo)
    {
        ArgumentNullException.ThrowIfNull(slo);
        var alerts = new List<BurnRateAlert>(3);
        foreach (var (name, share, window) in ((string, double, TimeSpan)[])[
            ("fast", 0.02, TimeSpan.FromHours(1)), ("slow", 0.05, TimeSpan.FromHours(6)), ("creeping", 0.1, TimeSpan.FromDays(3))])
        {
            if (window > slo.Period)
                continue;
            var alert = new BurnRateAlert(name, BurnRate.Threshold(share, window, slo.Period), window, window / 12);
            if (alert.CanFire(slo))
                alerts.Add(alert);
        }

        return alerts;
    }

    /// <summary>Returns true if a total outage would reach the threshold: threshold · U ≤ 1, where U is the unavailability that the objective allows.</summary>
    /// <param name="slo">The objective.</param>
    /// <exception cref="ArgumentNullException"><paramref name="slo"/> is null.</exception>
    public bool CanFire(Slo slo)
    {
        ArgumentNullException.ThrowIfNull(slo);
        return Threshold * slo.Target.Unavailability <= 1 + Numerics.Precise.Slack;
    }

    /// <summary>Evaluates the outcomes that were counted so far. Changes nothing.</summary>
    /// <param name="slo">The objective whose budget is used.</param>
    /// <param name="outcomes">The counters; they must cover <see cref="LongWindow"/>.</param>
    /// <param name="now">The time, on the clock of the recorded outcomes.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException">The alert can never fire under this objective, or the counters do not cover the long window.</exception>
    public BurnRateStatus Evaluate(Slo slo, OutcomeCounters outcomes, TimeSpan now)
    {
        RequireUsable(slo, outcomes);
        var slow = outcomes.Count(now, LongWindow);
        var fast = outcomes.Count(now, ShortWindow);
        var (longBurn, shortBurn) = (slow.BurnRate(slo.Target), fast.BurnRate(slo.Target));
        var reached = Threshold * (1 - Numerics.Precise.Slack);
        var firing = slow.Failures >= MinimumFailures && longBurn >= reached && shortBurn >= reached;
        return new BurnRateStatus(this, firing, longBurn, shortBurn, slow.Failures) { Calls = slow.Total };
    }

    internal void RequireUsable(Slo slo, OutcomeCounters outcomes)
    {
        ArgumentNullException.ThrowIfNull(outcomes);
        if (!CanFire(slo))
            throw new ArgumentException($"Alert '{Name}' can never fire: the burn rate of a total outage is {1 / slo.Target.Unavailability:0.###}, and the threshold is {Threshold:0.###}.", nameof(slo));
        if (LongWindow > outcomes.Horizon)
            throw new ArgumentException($"Alert '{Name}' has a window of {LongWindow}, and the counters hold only {outcomes.Horizon}.", nameof(outcomes));
    }
}

/// <summary>The result of evaluating an alert.</summary>
/// <param name="Alert">The alert.</param>
/// <param name="Firing">True if the alert fires.</param>
/// <param name="LongBurn">The burn rate over the long window; 0 without calls.</param>
/// <param name="ShortBurn">The burn rate over the short window; 0 without calls.</param>
/// <param name="Failures">The failures in the long window, which are compared with <see cref="BurnRateAlert.MinimumFailures"/>.</param>
public readonly record struct BurnRateStatus(BurnRateAlert Alert, bool Firing, double LongBurn, double ShortBurn, long Failures)
{
    /// <summary>Gets the number of calls in the long window.</summary>
    public long Calls { get; init; }
}
