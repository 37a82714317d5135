namespace HaKit.Availability.Numerics;

/// <summary>
/// Elementary functions with high relative accuracy where the functions of the framework lose it: <c>double.LogP1</c> is <c>Log(1 + x)</c> and returns 0 for
/// 1e-17.
/// </summary>
internal static class Precise
{
    /// <summary>The relative tolerance of comparisons with a limit, so that rounding alone does not fail a target.</summary>
    public const double Slack = 1e-12;

    /// <summary>Returns ln(1 + x): the rounding of 1 + x is divided out again (Kahan).</summary>
    public static double Log1p(double x)
    {
        var u = 1 + x;
        if (u == 1)
            return x;
        return double.IsPositiveInfinity(u) ? u : Math.Log(u) * (x / (u - 1));
    }

    /// <summary>Returns eˣ − 1: the rounding of eˣ is divided out again (Kahan).</summary>
    public static double Expm1(double x)
    {
        if (Math.Abs(x) > 1)
            return Math.Exp(x) - 1;
        var u = Math.Exp(x);
        return u == 1 ? x : (u - 1) * (x / Math.Log(u));
    }

    /// <summary>Returns (1 − u)ⁿ for a pair whose complement u is the accurate part when it is small.</summary>
    public static double PowerOfComplement(double u, double n) => n == 0 ? 1 : Math.Exp(n * Log1p(-u));

    /// <summary>Returns 1 − (1 − u)ⁿ without cancellation.</summary>
    public static double ComplementOfPower(double u, double n) => n == 0 ? 0 : -Expm1(n * Log1p(-u));

    /// <summary>Returns 1 − (1 − e⁻ˣ)/x, the mean over [0, x] of 1 − e⁻ᵗ. For small x, where the terms cancel, a series is used.</summary>
    public static double MeanSaturation(double x)
    {
        if (x >= 1)
            return 1 + Expm1(-x) / x;
        var term = x / 2;
        var sum = 0.0;
        for (var k = 3; Math.Abs(term) > Math.Abs(sum) * 1e-17; k++)
        {
            sum += term;
            term *= -x / k;
        }

        return sum;
    }

    /// <summary>Returns the smallest integer that is not below x, where x may have been rounded up from an integer.</summary>
    public static double Ceiling(double x)
    {
        var nearest = Math.Round(x);
        return Math.Abs(x - nearest) <= Slack * Math.Max(1, Math.Abs(x)) ? nearest : Math.Ceiling(x);
    }

    /// <summary>Returns the largest integer that is not above x, where x may have been rounded down from an integer.</summary>
    public static double Floor(double x) => -Ceiling(-x);

    /// <summary>Converts n to an <see cref="int"/>. Throws an exception with the number if it does not fit.</summary>
    public static int ToCount(double n) =>
        n <= int.MaxValue ? (int)n : throw new OverflowException("The count exceeds the range of a 32-bit integer.");

    /// <summary>Converts ticks to a duration. Larger values than <see cref="TimeSpan.MaxValue"/> become this maximum.</summary>
    public static TimeSpan FromTicks(double ticks) =>
        ticks >= long.MaxValue ? TimeSpan.MaxValue : new TimeSpan((long)Math.Round(ticks));
}
