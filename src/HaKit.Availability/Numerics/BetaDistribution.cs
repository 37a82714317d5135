namespace HaKit.Availability.Numerics;

/// <summary>Beta(a, b) in log-odds z = ln(p/q), so that p and q = 1 − p are equally accurate. a, b &gt; 0, up to 10¹² and beyond.</summary>
internal readonly struct BetaDistribution : ILogConcave
{
    private const double Large = 3000;
    private readonly double _a, _b, _logScale;

    public BetaDistribution(double a, double b)
    {
        _a = a;
        _b = b;
        _logScale = 0.5 * (Math.Log(a) + Math.Log(b) - Math.Log(2 * Math.PI * (a + b)))
            + Stirling.Error(a + b) - Stirling.Error(a) - Stirling.Error(b);
    }

    /// <summary>The pair (p, q) whose lower and upper tails are given.</summary>
    public Availability Quantile(double lower, double upper) => Pair(LogConcave.Quantile(this, lower, upper, Start(lower, upper)));

    /// <summary>The quantile in log-odds.</summary>
    public double LogOdds(double lower, double upper) => LogConcave.Quantile(this, lower, upper, Start(lower, upper));

    /// <summary>P(X ≤ p) and P(X &gt; p).</summary>
    public (double Lower, double Upper) Tails(Availability p) => p.Value == 0 ? (0, 1) : p.Unavailability == 0 ? (1, 0)
        : Tails(p.Value, p.Unavailability, Math.Log(p.Value) - Math.Log(p.Unavailability));

    public double Density(double z)
    {
        var (p, q) = Split(z);
        return Density(p, q);
    }

    public double Slope(double z)
    {
        var (p, q) = Split(z);
        return _a * q - _b * p;
    }

    public (double Lower, double Upper) Tails(double z)
    {
        var (p, q) = Split(z);
        return Tails(p, q, z);
    }

    private static Availability Pair(double z)
    {
        var (p, q) = Split(z);
        return Availability.FromPair(p, q);
    }

    private static (double P, double Q) Split(double z)
    {
        if (z > 0)
        {
            var e = Math.Exp(-z);
            return (1 / (1 + e), e / (1 + e));
        }
        else
        {
            var e = Math.Exp(z);
            return (e / (1 + e), 1 / (1 + e));
        }
    }

    private double Density(double p, double q)
    {
        var n = _a + _b;
        return p == 0 || q == 0 ? 0 : Math.Exp(_logScale - Stirling.Deviance(_a, n * p) - Stirling.Deviance(_b, n * q));
    }

    private (double Lower, double Upper) Tails(double p, double q, double z)
    {
        var lowerIsSmaller = p * (_a + _b + 2) < _a + 1;
        double tail;
        if (Math.Min(_a, _b) > Large)
        {
            lowerIsSmaller = _a * q >= _b * p;
            tail = LogConcave.OuterTail(this, z, Math.Sqrt(1 / _a + 1 / _b), lowerIsSmaller ? -1 : 1);
        }
        else
        {
            tail = lowerIsSmaller ? Density(p, q) * Fraction(_a, _b, p) / _a : Density(p, q) * Fraction(_b, _a, q) / _b;
        }

        tail = Math.Min(tail, 1);
        return lowerIsSmaller ? (tail, 1 - tail) : (1 - tail, tail);
    }

    /// <summary>Continued fraction of the incomplete beta function (DLMF 8.17.22), modified Lentz.</summary>
    private static double Fraction(double a, double b, double x)
    {
        const double tiny = 1e-300;
        var c = 1.0;
        var d = 1 / NotZero(1 - (a + b) * x / (a + 1));
        var f = d;
        for (var m = 1; m < 100_000; m++)
        {
            var even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
            d = 1 / NotZero(1 + even * d);
            c = NotZero(1 + even / c);
            f *= d * c;
            var odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
            d = 1 / NotZero(1 + odd * d);
            c = NotZero(1 + odd / c);
            var factor = d * c;
            f *= factor;
            if (Math.Abs(factor - 1) < 1e-15) break;
        }

        return f;

        static double NotZero(double x) => Math.Abs(x) < tiny ? tiny : x;
    }

    /// <summary>A first guess: Abramowitz and Stegun 26.5.22 for a, b ≥ 1, else the centre (Newton is safe from there).</summary>
    private double Start(double lower, double upper)
    {
        if (_a < 1 || _b < 1) return Math.Log(_a / _b);
        var y = NormalDistribution.RoughUpperQuantile(Math.Min(lower, upper));
        if (lower > upper) y = -y;
        var (ra, rb) = (1 / Math.Max(2 * _a - 1, 0.5), 1 / Math.Max(2 * _b - 1, 0.5));
        var h = 2 / (ra + rb);
        var lambda = (y * y - 3) / 6;
        var w = y * Math.Sqrt(Math.Max(0, h + lambda)) / h - (rb - ra) * (lambda + 5.0 / 6 - 2 / (3 * h));
        return Math.Log(_a / _b) - 2 * w;
    }
}
