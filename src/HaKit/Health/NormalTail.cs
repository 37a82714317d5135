namespace HaKit.Health;

/// <summary>Computes the upper tail of the normal distribution on a logarithmic scale, so that very small probabilities keep their precision.</summary>
internal static class NormalTail
{
    private const double Ln10 = 2.302585092994046;
    private const double LnSqrtTwoPi = 0.91893853320467274;

    /// <summary>Computes −log₁₀ P(Z &gt; z). The relative error is about 1e-14 for every z whose square does not overflow.</summary>
    public static double Phi(double z)
    {
        if (double.IsNaN(z))
            return double.NaN;
        if (z > 2)
            return (z * z / 2 + LnSqrtTwoPi - Math.Log(MillsRatio(z))) / Ln10;
        var body = CentralHalf(Math.Abs(z));
        if (z >= 0)
            return -Math.Log10(0.5 - body);
        return LogOfComplement(z < -2 ? Density(z) * MillsRatio(-z) : 0.5 - body) / Ln10;
    }

    /// <summary>Finds the z at which <see cref="Phi"/> has the given value (above 0), by bisection, because the tail is steep.</summary>
    public static double Quantile(double phi)
    {
        double low = -38, high = Math.Sqrt(2 * Ln10 * phi) + 1;
        for (var i = 0; i < 200 && low < high; i++)
        {
            var middle = low + (high - low) / 2;
            if (middle <= low || middle >= high)
                break;
            if (Phi(middle) < phi)
                low = middle;
            else
                high = middle;
        }

        return high;
    }

    private static double Density(double z) => Math.Exp(-z * z / 2 - LnSqrtTwoPi);

    /// <summary>Returns P(0 &lt; Z &lt; z) for z up to 2 by the series of Marsaglia, "Evaluating the normal distribution", 2004.</summary>
    private static double CentralHalf(double z)
    {
        double sum = z, term = z;
        for (var i = 3; term > sum * 1e-17; i += 2)
        {
            term *= z * z / i;
            sum += term;
        }

        return sum * Density(z);
    }

    /// <summary>Returns P(Z &gt; z) / density(z) for z from 2 by Laplace's continued fraction.</summary>
    private static double MillsRatio(double z)
    {
        var fraction = z;
        for (var i = 150; i >= 1; i--)
            fraction = z + i / fraction;
        return 1 / fraction;
    }

    /// <summary>Computes −ln(1 − q) with full precision for a small q.</summary>
    private static double LogOfComplement(double q) => q < 1e-4 ? q * (1 + q * (0.5 + q * (1.0 / 3 + q / 4))) : -Math.Log(1 - q);
}
