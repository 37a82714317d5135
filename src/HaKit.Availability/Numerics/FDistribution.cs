namespace HaKit.Availability.Numerics;

internal static class FDistribution
{
    /// <summary>Returns the quantile of F(d1, d2) with the given lower and upper tails: d2/d1 times the odds of a Beta(d1/2, d2/2) quantile.</summary>
    public static double Quantile(double d1, double d2, double lower, double upper) =>
        d2 / d1 * Math.Exp(new BetaDistribution(d1 / 2, d2 / 2).LogOdds(lower, upper));
}
