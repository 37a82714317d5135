namespace HaKit.Availability.Numerics;

/// <summary>The standard normal distribution. If Z is standard normal, Z²/2 has the gamma distribution with the shape ½.</summary>
internal static class NormalDistribution
{
    private static readonly GammaDistribution HalfSquare = new(0.5);

    /// <summary>Returns the z with P(Z &gt; z) = <paramref name="tail"/>, 0 &lt; tail &lt; 1.</summary>
    public static double UpperQuantile(double tail) => tail switch
    {
        0.5 => 0,
        > 0.5 => -UpperQuantile(1 - tail),
        _ => Math.Sqrt(2 * HalfSquare.Quantile(1 - 2 * tail, 2 * tail)),
    };

    /// <summary>Returns ln P(Z &gt; z).</summary>
    public static double LogUpperTail(double z) => z >= 0
        ? HalfSquare.LogUpperTail(z * z / 2) - Math.Log(2)
        : Precise.Log1p(-0.5 * Math.Exp(HalfSquare.LogUpperTail(z * z / 2)));

    /// <summary>Gets the quantile with an error below 5e-4 for 0 &lt; tail ≤ ½ (Abramowitz and Stegun 26.2.23), as the start of an exact iteration.</summary>
    public static double RoughUpperQuantile(double tail)
    {
        var t = Math.Sqrt(-2 * Math.Log(tail));
        return t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)));
    }
}
