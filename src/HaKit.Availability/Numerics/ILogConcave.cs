namespace HaKit.Availability.Numerics;

/// <summary>
/// A distribution as a function of a variable z on the whole line (log-odds, or the logarithm) in which its density is
/// log-concave. Then the logarithms of both tails are concave too, and Newton's method on them always converges.
/// </summary>
internal interface ILogConcave
{
    /// <summary>Returns the density with respect to z.</summary>
    double Density(double z);

    /// <summary>Returns the derivative of ln density with respect to z.</summary>
    double Slope(double z);

    /// <summary>Returns both tail probabilities at z, each with its own relative accuracy, and the density.</summary>
    (double Lower, double Upper, double Density) Tails(double z);
}

internal static class LogConcave
{
    private static readonly (double Node, double Weight)[] Rule = GaussLegendre(28);

    /// <summary>
    /// Returns the z that has the given lower and upper tails. Uses Halley's method (Newton's method with a correction) on the logarithm of the smaller tail.
    /// </summary>
    public static double Quantile<T>(in T distribution, double lower, double upper, double start)
        where T : struct, ILogConcave
    {
        var useLower = lower <= upper;
        var target = Math.Log(useLower ? lower : upper);
        var z = start;
        for (var i = 0; i < 100; i++)
        {
            var (below, above, density) = distribution.Tails(z);
            var tail = useLower ? below : above;
            if (tail <= 0 || density <= 0)
            {
                // The tail underflows, because z is too far from the centre. So z moves back towards the centre.
                z += Math.Sign(distribution.Slope(z)) * Math.Max(1, 0.1 * Math.Abs(z));
                continue;
            }

            var excess = Math.Log(tail) - target;
            var rate = (useLower ? density : -density) / tail;
            var newton = excess / rate;
            var bend = 1 - 0.5 * newton * (distribution.Slope(z) - rate);
            z -= newton / Math.Clamp(bend, 0.75, 1.5);
            if (Math.Abs(excess) < 1e-5)
                break;
        }

        return z;
    }

    /// <summary>
    /// Returns the tail that begins at z and runs away from the centre. Uses Gauss–Legendre integration over the range that contains all but e⁻⁴⁰ of the tail.
    /// </summary>
    public static double OuterTail<T>(in T distribution, double z, double spread, int direction)
        where T : struct, ILogConcave
    {
        // ln density falls by slope·s + s²/(2·spread²) or faster near the centre; the range ends where this value reaches 40.
        var slope = Math.Max(0, -direction * distribution.Slope(z)) * spread;
        var length = spread * 80 / (slope + Math.Sqrt(slope * slope + 80));
        var sum = 0.0;
        foreach (var (node, weight) in Rule)
            sum += weight * distribution.Density(z + direction * length * node);
        return sum * length;
    }

    /// <summary>Returns the nodes and weights on [0, 1], calculated with Newton's method on the Legendre recurrence.</summary>
    private static (double, double)[] GaussLegendre(int n)
    {
        var rule = new (double, double)[n];
        for (var i = 0; i < n; i++)
        {
            var x = Math.Cos(Math.PI * (i + 0.75) / (n + 0.5));
            double slope = 0;
            for (var step = 0; step < 8; step++)
            {
                double before = 0, now = 1;
                for (var k = 1; k <= n; k++)
                    (before, now) = (now, ((2 * k - 1) * x * now - (k - 1) * before) / k);
                slope = n * (x * now - before) / (x * x - 1);
                x -= now / slope;
            }

            rule[i] = ((1 - x) / 2, 1 / ((1 - x * x) * slope * slope));
        }

        return rule;
    }
}
