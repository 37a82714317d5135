using HaKit.Availability.Numerics;

namespace HaKit.Availability;

/// <summary>
/// Estimates a success ratio from counts. Pure and thread-safe. From a thousand to 10⁹ trials, the relative error of a ratio p and of its complement 1 − p is
/// about 1e-12. Both are this accurate because the calculation solves for ln(p / (1 − p)), not for p.
/// </summary>
public static class Estimate
{
    /// <summary>
    /// Returns exact bounds by inverting the binomial distribution (Clopper and Pearson, Biometrika 26, 1934). They hold with at least the given confidence.
    /// </summary>
    /// <param name="successes">The number of successes, from 0 to <paramref name="trials"/>.</param>
    /// <param name="trials">At least 1.</param>
    /// <param name="confidence">Strictly between 0 and 1; 0.95 by default.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is NaN or outside its range.</exception>
    public static AvailabilityInterval ClopperPearson(long successes, long trials, double confidence = 0.95)
    {
        var tail = Tail(successes, trials, confidence);
        var failures = trials - successes;
        if (successes == 0)
            return new AvailabilityInterval(AvailabilityRatio.Never, failures == 0 ? AvailabilityRatio.Always : AllAlike(trials, tail).Complement(), confidence);
        if (failures == 0)
            return new AvailabilityInterval(AllAlike(trials, tail), AvailabilityRatio.Always, confidence);
        var lower = new BetaDistribution(successes, failures + 1).Quantile(tail, 1 - tail);
        var upper = new BetaDistribution(successes + 1, failures).Quantile(1 - tail, tail);
        return new AvailabilityInterval(lower, upper, confidence);
    }

    /// <summary>Returns score bounds (Wilson, JASA 22, 1927): accurate on average, cheap, and never outside 0 to 1.</summary>
    /// <inheritdoc cref="ClopperPearson" path="/param"/>
    /// <inheritdoc cref="ClopperPearson" path="/exception"/>
    public static AvailabilityInterval Wilson(long successes, long trials, double confidence = 0.95)
    {
        var z = NormalDistribution.UpperQuantile(Tail(successes, trials, confidence));
        double n = trials, x = successes, y = trials - successes;
        var (half, root) = (z * z / 2, z * Math.Sqrt(x * y / n + z * z / 4));
        // The bounds are the two solutions of a quadratic equation. The usual formula for the smaller solution subtracts two numbers that are almost equal and
        // loses digits. So Least uses the product of both solutions, count²/(n·(n + z²)), divided by the greater solution.
        double Least(double count) => count * count / n / (count + half + root);
        double Greatest(double count) => (count + half + root) / (n + z * z);
        return new AvailabilityInterval(
            AvailabilityRatio.FromPair(Least(x), Greatest(y)), AvailabilityRatio.FromPair(Greatest(x), Least(y)), confidence);
    }

    /// <summary>
    /// Returns the bounds of the Jeffreys interval (Brown, Cai and DasGupta, Statistical Science 16, 2001): the (1 − confidence)/2 quantile and the
    /// (1 + confidence)/2 quantile of the beta distribution with the parameters successes + ½ and failures + ½. The lower bound is 0 if there were no successes,
    /// and the upper bound is 1 if there were no failures.
    /// </summary>
    /// <inheritdoc cref="ClopperPearson" path="/param"/>
    /// <inheritdoc cref="ClopperPearson" path="/exception"/>
    public static AvailabilityInterval Jeffreys(long successes, long trials, double confidence = 0.95)
    {
        var tail = Tail(successes, trials, confidence);
        var posterior = new BetaDistribution(successes + 0.5, trials - successes + 0.5);
        return new AvailabilityInterval(
            successes == 0 ? AvailabilityRatio.Never : posterior.Quantile(tail, 1 - tail),
            successes == trials ? AvailabilityRatio.Always : posterior.Quantile(1 - tail, tail), confidence);
    }

    /// <summary>
    /// Returns the one-sided lower bound on the availability after n successes without a failure: (1 − confidence)^(1/n). With 95 % confidence, the bound is about
    /// 1 − 3/n.
    /// </summary>
    /// <param name="trials">n, at least 1.</param>
    /// <param name="confidence">Strictly between 0 and 1; 0.95 by default.</param>
    /// <returns>The lower bound on the availability.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A value is NaN or outside its range.</exception>
    public static AvailabilityRatio ZeroFailureLower(long trials, double confidence = 0.95) =>
        AllAlike(Guard.AtLeast(1L, trials), 1 - Guard.OpenProbability(confidence));

    /// <summary>Returns the smallest n for which n successes without a failure prove a target: ⌈ln(1 − confidence)/ln A⌉.</summary>
    /// <param name="target">Strictly between 0 and 100 %.</param>
    /// <param name="confidence">Strictly between 0 and 1; 0.95 by default.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is NaN or outside its range.</exception>
    public static long ZeroFailureTrials(AvailabilityRatio target, double confidence = 0.95)
    {
        if (target.Value == 0 || target.Unavailability == 0)
            throw new ArgumentOutOfRangeException(nameof(target), target, "A target lies strictly between 0 and 100 %.");
        return (long)Precise.Ceiling(Precise.Log1p(-Guard.OpenProbability(confidence)) / Precise.Log1p(-target.Unavailability));
    }

    /// <summary>Returns the availability with which all of the trials succeed with the given probability: tail^(1/trials).</summary>
    private static AvailabilityRatio AllAlike(long trials, double tail)
    {
        var x = Math.Log(tail) / trials;
        return AvailabilityRatio.FromPair(Math.Exp(x), -Precise.Expm1(x));
    }

    private static double Tail(long successes, long trials, double confidence)
    {
        Guard.AtLeast(1L, trials);
        Guard.Between(0L, trials, successes);
        return (1 - Guard.OpenProbability(confidence)) / 2;
    }

    /// <summary>
    /// Returns two-sided bounds on the mean time between failures, if the times between failures are exponentially distributed (NIST/SEMATECH e-Handbook 8.4.5.1).
    /// With α = 1 − confidence, the lower bound is 2T/χ²(1−α/2; 2r+2) and the upper bound is 2T/χ²(α/2; 2r), where χ²(p; k) is the p quantile of the chi-squared
    /// distribution with k degrees of freedom. If the observation ended with a failure, the lower bound uses 2r in place of 2r+2.
    /// </summary>
    /// <param name="totalTime">T, the observation time added up over all observed units, in any unit of time; greater than zero.</param>
    /// <param name="failures">r; zero or greater, at least 1 when the observation ended with a failure.</param>
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
    /// Returns a one-sided lower bound on the availability from complete up times and complete down times, if both are exponentially distributed:
    /// 1/(1 + (D/m)/(U/n)·F(confidence; 2n, 2m)), where F(p; a, b) is the p quantile of the F distribution with a and b degrees of freedom.
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
    /// Returns two-sided bounds on the availability during an observation whose last up time or down time has not ended yet. Each bound counts this unfinished time
    /// in the way that makes the interval wider: the lower bound uses n + 1 failures and m repairs, and the upper bound uses n failures and m + 1 repairs.
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
    /// Estimates the availability A from n cycles that each consist of an up time Uᵢ and a down time Dᵢ, and returns the estimate with its standard error. The
    /// estimate is A = ΣUᵢ/Σ(Uᵢ + Dᵢ). The standard error is s/(√n · mean length of a cycle), where s² is the sample variance of Uᵢ − A·(Uᵢ + Dᵢ). The times may
    /// have any distribution (regenerative ratio estimator; Crane and Iglehart, Operations Research 23, 1975).
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
            // The residual of a cycle is Up − A·(Up + Down), which equals (1 − A)·Up − A·Down. The second form is used, because the first form subtracts two almost
            // equal numbers and loses digits when A is near one.
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
