namespace HaKit.Availability.Numerics;

/// <summary>Gamma with shape s and scale 1 in z = ln x. χ² with d degrees of freedom is twice Gamma(d/2).</summary>
internal readonly struct GammaDistribution : ILogConcave
{
    private const double Large = 3000;
    private readonly double _s, _logScale;

    public GammaDistribution(double shape)
    {
        _s = shape;
        _logScale = 0.5 * Math.Log(shape / (2 * Math.PI)) - Stirling.Error(shape);
    }

    /// <summary>Returns the χ² quantile with the given lower and upper tails.</summary>
    public static double ChiSquared(double degrees, double lower, double upper) => 2 * new GammaDistribution(degrees / 2).Quantile(lower, upper);

    /// <summary>Returns the x that has the given lower and upper tails.</summary>
    public double Quantile(double lower, double upper) => Math.Exp(LogConcave.Quantile(this, lower, upper, Start(lower, upper)));

    public double Density(double z) => Math.Exp(LogDensity(Math.Exp(z)));

    public double Slope(double z) => _s - Math.Exp(z);

    public (double Lower, double Upper, double Density) Tails(double z)
    {
        var x = Math.Exp(z);
        var lowerIsSmaller = x < _s + 1;
        var density = Math.Exp(LogDensity(x));
        double tail;
        if (_s > Large)
        {
            lowerIsSmaller = x <= _s;
            tail = LogConcave.OuterTail(this, z, 1 / Math.Sqrt(_s), lowerIsSmaller ? -1 : 1);
        }
        else
        {
            tail = density * (lowerIsSmaller ? Series(x) : Fraction(x));
        }

        tail = Math.Min(tail, 1);
        return lowerIsSmaller ? (tail, 1 - tail, density) : (1 - tail, tail, density);
    }

    /// <summary>Returns ln P(X &gt; x), which is finite where the probability itself underflows.</summary>
    public double LogUpperTail(double x)
    {
        if (x <= 0)
            return 0;
        if (x < _s + 1)
            return Precise.Log1p(-Math.Exp(LogDensity(x)) * Series(x));
        return LogDensity(x) + Math.Log(Fraction(x));
    }

    private double LogDensity(double x) => x == 0 ? double.NegativeInfinity : _logScale - Stirling.Deviance(_s, x);

    /// <summary>Returns Σ xᵏ / (s (s+1) … (s+k)) (DLMF 8.7.1).</summary>
    private double Series(double x)
    {
        var term = 1 / _s;
        var sum = term;
        for (var k = 1; term > sum * 1e-17; k++)
        {
            term *= x / (_s + k);
            sum += term;
        }

        return sum;
    }

    /// <summary>Returns the continued fraction of the upper tail (DLMF 8.9.2), calculated with Lentz's modified method.</summary>
    private double Fraction(double x)
    {
        var b = x + 1 - _s;
        var c = 1e300;
        var d = 1 / b;
        var f = d;
        for (var k = 1; k < 100_000; k++)
        {
            var a = -k * (k - _s);
            b += 2;
            d = 1 / (a * d + b);
            c = b + a / c;
            var factor = d * c;
            f *= factor;
            if (Math.Abs(factor - 1) < 1e-15)
                break;
        }

        return f;
    }

    /// <summary>Returns the start of the search: Wilson and Hilferty's cube, or the leading term of the lower tail if the cube is not positive.</summary>
    private double Start(double lower, double upper)
    {
        var y = NormalDistribution.RoughUpperQuantile(Math.Min(lower, upper));
        var root = 1 - 1 / (9 * _s) + (lower < upper ? -y : y) / (3 * Math.Sqrt(_s));
        return root > 0.2 ? Math.Log(_s) + 3 * Math.Log(root) : (Math.Log(lower) + Stirling.LogGamma(_s + 1)) / _s;
    }
}
