using HaKit.Availability.Numerics;

namespace HaKit.Availability;

/// <summary>
/// Estimates a success ratio from counts. Pure and thread-safe. Quantiles are solved in log-odds, so both the ratio and
/// its complement are accurate to about 1e-12, from a thousand trials to 10⁹.
/// </summary>
public static partial class Estimate
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
        // Each end uses the form of the root without cancellation: least·greatest = x²/(n·(n + z²)).
        double Least(double count) => count * count / n / (count + half + root);
        double Greatest(double count) => (count + half + root) / (n + z * z);
        return new AvailabilityInterval(
            AvailabilityRatio.FromPair(Least(x), Greatest(y)), AvailabilityRatio.FromPair(Greatest(x), Least(y)), confidence);
    }

    /// <summary>
    /// Returns the equal-tailed bounds of Beta(x + ½, n − x + ½) (Brown, Cai and DasGupta, Statistical Science 16, 2001), with the ends 0 and 1 when there
    /// were no successes or no failures.
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

    /// <summary>Returns the one-sided lower bound after n successes without a failure: U ≤ 1 − (1 − confidence)^(1/n), about 3/n at 95 %.</summary>
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
        Guard.OpenProbability(target.Value == 1 ? 1 - target.Unavailability / 2 : target.Value, nameof(target));
        if (target.Unavailability == 0)
            throw new ArgumentOutOfRangeException(nameof(target), target, "No number of trials shows 100 %.");
        return (long)Precise.Ceiling(Precise.Log1p(-Guard.OpenProbability(confidence)) / Precise.Log1p(-target.Unavailability));
    }

    /// <summary>A = tail^(1/n).</summary>
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
}
