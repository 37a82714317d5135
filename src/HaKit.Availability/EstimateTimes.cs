using HaKit.Availability.Numerics;

namespace HaKit.Availability;

public static partial class Estimate
{
    /// <summary>
    /// Returns two-sided bounds on a mean time between failures, for exponential times (NIST/SEMATECH e-Handbook 8.4.5.1):
    /// 2T/χ²(1−α/2; 2r+2) to 2T/χ²(α/2; 2r), with 2r in both when the observation ended with a failure.
    /// </summary>
    /// <param name="totalTime">T, unit-time observed, in any unit; greater than zero.</param>
    /// <param name="failures">r; zero or greater, at least 1 when it ended with a failure.</param>
    /// <param name="confidence">Strictly between 0 and 1; 0.95 by default.</param>
    /// <param name="end">The event that ended the observation.</param>
    /// <returns>The bounds, in the same unit. Without a failure the upper bound is infinite.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A value is NaN or outside its range.</exception>
    public static NumberInterval MtbfBounds(double totalTime, long failures, double confidence = 0.95, ObservationEnd end = ObservationEnd.Time)
    {
        Guard.Positive(totalTime);
        Guard.AtLeast(end == ObservationEnd.Event ? 1L : 0L, failures);
        var tail = (1 - Guard.OpenProbability(confidence)) / 2;
        return new NumberInterval(LowerMtbf(totalTime, failures, tail, end), UpperMtbf(totalTime, failures, tail), confidence);
    }

    /// <summary>Returns a one-sided lower bound on a mean time between failures. Without a failure it is T/−ln(1 − confidence).</summary>
    /// <inheritdoc cref="MtbfBounds" path="/param"/>
    /// <inheritdoc cref="MtbfBounds" path="/exception"/>
    public static double MtbfLower(double totalTime, long failures, double confidence = 0.95, ObservationEnd end = ObservationEnd.Time)
    {
        Guard.Positive(totalTime);
        Guard.AtLeast(end == ObservationEnd.Event ? 1L : 0L, failures);
        return LowerMtbf(totalTime, failures, 1 - Guard.OpenProbability(confidence), end);
    }

    /// <summary>
    /// Returns a one-sided lower bound on availability from complete up and down times, both exponential:
    /// 1/(1 + (D/m)/(U/n)·F(confidence; 2n, 2m)).
    /// </summary>
    /// <param name="uptime">U in total, in any unit; greater than zero.</param>
    /// <param name="downtime">D in total, in the same unit; greater than zero.</param>
    /// <param name="failures">n, complete up times; at least 1.</param>
    /// <param name="repairs">m, complete down times; at least 1.</param>
    /// <param name="confidence">Strictly between 0 and 1; 0.95 by default.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is NaN or outside its range.</exception>
    public static AvailabilityRatio AvailabilityLower(double uptime, double downtime, long failures, long repairs, double confidence = 0.95)
    {
        var tail = 1 - Guard.OpenProbability(confidence);
        return FromRatioOfMeans(
            Guard.Positive(uptime) / Guard.AtLeast(1L, failures), Guard.Positive(downtime) / Guard.AtLeast(1L, repairs),
            FDistribution.Quantile(2.0 * failures, 2.0 * repairs, confidence, tail));
    }

    /// <summary>
    /// Returns two-sided bounds on availability during an observation, with the current interval censored. Each side uses the
    /// unfavourable count, as the χ² bounds do: the lower bound n + 1 failures and m repairs, the upper bound n failures and m + 1 repairs.
    /// </summary>
    /// <param name="uptime">U in total, in any unit; zero or greater.</param>
    /// <param name="downtime">D in total, in the same unit; zero or greater.</param>
    /// <param name="failures">n, up times that ended; zero or greater.</param>
    /// <param name="repairs">m, down times that ended; zero or greater.</param>
    /// <param name="confidence">Strictly between 0 and 1; 0.95 by default.</param>
    /// <returns>The bounds. Without a repair the lower bound is 0, without a failure the upper bound is 1.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A value is NaN or outside its range.</exception>
    public static AvailabilityInterval AvailabilityBounds(double uptime, double downtime, long failures, long repairs, double confidence = 0.95)
    {
        Guard.NotNegative(uptime);
        Guard.NotNegative(downtime);
        Guard.AtLeast(0L, failures);
        Guard.AtLeast(0L, repairs);
        var tail = (1 - Guard.OpenProbability(confidence)) / 2;
        var lower = repairs == 0 || uptime == 0 || downtime == 0
            ? AvailabilityRatio.Never
            : FromRatioOfMeans(uptime / (failures + 1), downtime / repairs, FDistribution.Quantile(2.0 * (failures + 1), 2.0 * repairs, 1 - tail, tail));
        var upper = failures == 0 || uptime == 0 || downtime == 0
            ? AvailabilityRatio.Always
            : FromRatioOfMeans(uptime / failures, downtime / (repairs + 1), 1 / FDistribution.Quantile(2.0 * (repairs + 1), 2.0 * failures, 1 - tail, tail));
        return new AvailabilityInterval(lower, upper, confidence);
    }

    /// <summary>
    /// Returns the standard error of ΣU/Σ(U + D) over renewal cycles of any distribution (regenerative ratio estimator; Crane and
    /// Iglehart, Operations Research 23, 1975): s/(√n · mean cycle), s² the variance of Uᵢ − A·(Uᵢ + Dᵢ).
    /// </summary>
    /// <param name="cycles">Complete cycles, at least 2; times in any one unit, not negative.</param>
    /// <returns>The estimate and its standard error.</returns>
    /// <exception cref="ArgumentException">There are fewer than two cycles, or they have no length.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A time is NaN, infinite or negative.</exception>
    public static (AvailabilityRatio Estimate, double StandardError) Renewal(params ReadOnlySpan<(double Up, double Down)> cycles)
    {
        double up = 0, down = 0;
        foreach (var cycle in cycles)
        {
            up += Guard.NotNegative(cycle.Up, nameof(cycles));
            down += Guard.NotNegative(cycle.Down, nameof(cycles));
        }

        if (cycles.Length < 2 || up + down == 0)
            throw new ArgumentException("At least two cycles of some length are needed.", nameof(cycles));
        var estimate = AvailabilityRatio.Ratio(up, down);
        var squares = 0.0;
        foreach (var cycle in cycles)
        {
            // U − A·(U + D) = u·U − A·D: the same value, without cancellation when A is near one.
            var residual = estimate.Unavailability * cycle.Up - estimate.Value * cycle.Down;
            squares += residual * residual;
        }

        var n = cycles.Length;
        return (estimate, Math.Sqrt(squares / (n - 1)) / (Math.Sqrt(n) * (up + down) / n));
    }

    private static double LowerMtbf(double time, long failures, double tail, ObservationEnd end) =>
        2 * time / GammaDistribution.ChiSquared(2.0 * (end == ObservationEnd.Time ? failures + 1 : failures), 1 - tail, tail);

    private static double UpperMtbf(double time, long failures, double tail) =>
        failures == 0 ? double.PositiveInfinity : 2 * time / GammaDistribution.ChiSquared(2.0 * failures, tail, 1 - tail);

    private static AvailabilityRatio FromRatioOfMeans(double up, double down, double factor) => AvailabilityRatio.Ratio(up, down * factor);
}
