namespace HaKit.Availability.Numerics;

/// <summary>The two parts of a density that cancel in the textbook form (C. Loader, "Fast and accurate computation of binomial probabilities", 2000).</summary>
internal static class Stirling
{
    private const double HalfLogTwoPi = 0.91893853320467274178;

    // Most estimates use whole counts and halves of counts, so these values are computed in advance.
    private static readonly double[] Halves = [.. Enumerable.Range(0, 32).Select(i => Compute(i / 2.0))];

    /// <summary>Returns δ(a) = ln Γ(a) − ((a − ½) ln a − a + ½ ln 2π), a &gt; 0.</summary>
    public static double Error(double a) => a < 16 && 2 * a == (int)(2 * a) ? Halves[(int)(2 * a)] : Compute(a);

    /// <summary>Returns ln Γ(a), a &gt; 0.</summary>
    public static double LogGamma(double a) => Error(a) + (a - 0.5) * Math.Log(a) - a + HalfLogTwoPi;

    private static double Compute(double a)
    {
        var shift = 0.0;
        while (a is > 0 and < 14)
        {
            shift += (a + 0.5) * Precise.Log1p(1 / a) - 1;
            a++;
        }

        var r = 1 / (a * a);
        return shift + (1.0 / 12 - r * (1.0 / 360 - r * (1.0 / 1260 - r * (1.0 / 1680 - r * (1.0 / 1188 - r * (691.0 / 360360 - r / 156)))))) / a;
    }

    /// <summary>Returns x ln(x/m) + m − x ≥ 0, accurate where x and m are close.</summary>
    public static double Deviance(double x, double m)
    {
        if (x == 0)
            return m;
        var difference = x - m;
        if (Math.Abs(difference) >= 0.1 * (x + m))
            return x * Math.Log(x / m) - difference;
        var v = difference / (x + m);
        var v2 = v * v;
        var sum = difference * v;
        var power = 2 * x * v;
        for (var k = 3; ; k += 2)
        {
            power *= v2;
            var next = sum + power / k;
            if (next == sum)
                return sum;
            sum = next;
        }
    }
}
