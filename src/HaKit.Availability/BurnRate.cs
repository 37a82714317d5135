using HaKit.Availability.Numerics;

namespace HaKit.Availability;

/// <summary>
/// Calculates burn rates. A burn rate of 1 uses exactly the error budget in a period (Google, The Site Reliability Workbook, ch. 5). Pure and thread-safe.
/// </summary>
public static class BurnRate
{
    /// <summary>Returns the burn rate of an error ratio: the error ratio divided by the error budget, where the error budget is 1 − target.</summary>
    /// <param name="target">The objective, below 100 %.</param>
    /// <param name="errorRatio">Share of calls that fail, from 0 to 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is NaN or outside its range.</exception>
    public static double FromErrorRatio(AvailabilityRatio target, double errorRatio) => Guard.Probability(errorRatio) / Budget(target);

    /// <summary>Returns the burn rate that uses a share of the budget within a window: share · period / window.</summary>
    /// <param name="budgetShare">The share of the budget, above 0 to 1.</param>
    /// <param name="window">Greater than zero.</param>
    /// <param name="period">The objective's period; greater than zero.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is NaN or outside its range.</exception>
    public static double Threshold(double budgetShare, TimeSpan window, TimeSpan period) =>
        Guard.Share(budgetShare) * Guard.Positive(period).Ticks / Guard.Positive(window).Ticks;

    /// <summary>Returns the share of the budget that a burn rate uses within a window: burn · window / period.</summary>
    /// <param name="burn">Zero or greater.</param>
    /// <param name="window">Zero or greater.</param>
    /// <param name="period">The objective's period; greater than zero.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is NaN, infinite or outside its range.</exception>
    public static double ConsumedShare(double burn, TimeSpan window, TimeSpan period) =>
        Guard.NotNegative(burn) * Guard.NotNegative(window).Ticks / Guard.Positive(period).Ticks;

    /// <summary>Returns the time in which a burn rate uses the whole error budget of a period: period / burn.</summary>
    /// <param name="burn">Greater than zero.</param>
    /// <param name="period">The objective's period; greater than zero.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is NaN, infinite or outside its range.</exception>
    public static TimeSpan TimeToExhaustion(double burn, TimeSpan period) => Precise.FromTicks(Guard.Positive(period).Ticks / Guard.Positive(burn));

    /// <summary>
    /// Returns how long calls fail at a constant error ratio before an alert fires: threshold · (1 − target) / errorRatio · window. The alert fires when the burn
    /// rate over its window reaches the threshold. It is assumed that no calls failed before.
    /// </summary>
    /// <param name="target">The objective, below 100 %.</param>
    /// <param name="errorRatio">Share of calls that fail from then on, above 0 to 1.</param>
    /// <param name="window">The alert's window; greater than zero.</param>
    /// <param name="threshold">The alert's burn rate; greater than zero.</param>
    /// <returns>The time; null when the alert never fires, because the burn rate of the error is below its threshold.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A value is NaN or outside its range.</exception>
    public static TimeSpan? DetectionTime(AvailabilityRatio target, double errorRatio, TimeSpan window, double threshold)
    {
        var share = Guard.Positive(threshold) * Budget(target) / Guard.Share(errorRatio);
        Guard.Positive(window);
        return share > 1 + Precise.Slack ? null : Precise.FromTicks(share * window.Ticks);
    }

    /// <summary>
    /// Returns how long the alert still fires after the calls have stopped failing: the window minus <see cref="DetectionTime"/>. It is assumed that calls failed at
    /// the given error ratio for at least one whole window.
    /// </summary>
    /// <inheritdoc cref="DetectionTime" path="/param"/>
    /// <inheritdoc cref="DetectionTime" path="/exception"/>
    /// <returns>The time; null when the alert never fires.</returns>
    public static TimeSpan? ResetTime(AvailabilityRatio target, double errorRatio, TimeSpan window, double threshold) =>
        DetectionTime(target, errorRatio, window, threshold) is { } detection ? window - detection : null;

    private static double Budget(AvailabilityRatio target) => target.Unavailability > 0
        ? target.Unavailability
        : throw new ArgumentOutOfRangeException(nameof(target), target, "A target of 100 % leaves no budget to burn.");
}
