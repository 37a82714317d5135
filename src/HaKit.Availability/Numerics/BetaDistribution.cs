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

    /// <summary>Returns the pair (p, q) that has the given lower and upper tails.</summary>
    public AvailabilityRatio Quantile(double lower, double upper) => Pair(LogConcave.Quantile(this, lower, upper, Start(lower, upper)));

    /// <summary>Returns the quantile in log-odds.</summary>
    public double LogOdds(double lower, double upper) => LogConcave.Quantile(this, lower, upper, Start(lower, upper));

    /// <summary>Returns P(X ≤ p) and P(X &gt; p).</summary>
    public (double Lower, double Upper) Tails(AvailabilityRatio p)
    {
        if (p.Value == 0)
            return (0, 1);
        if (p.Unavailability == 0)
            return (1, 0);
        var (lower, upper, _) = Tails(p.Value, p.Unavailability, Math.Log(p.Value) - Math.Log(p.Unavailability));
        return (lower, upper);
    }

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

    public (double Lower, double Upper, double Density) Tails(double z)
    {
        var (p, q) = Split(z);
        return Tails(p, q, z);
    }

    private static AvailabilityRatio Pair(double z)
    {
        var (p, q) = Split(z);
        return AvailabilityRatio.FromPair(p, q);
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

    private (double Lower, double Upper, double Density) Tails(double p, double q, double z)
    {
        var density = Density(p, q);
        var towardsZero = _a * q >= _b * p;
        double tail;
        if (Math.Min(_a, _b) > Large)
            tail = LogConcave.OuterTail(this, z, Math.Sqrt(1 / _a + 1 / _b), towardsZero ? -1 : 1);
        else
            tail = density / (towardsZero ? Fraction(_a, _b, p, q) : Fraction(_b, _a, q, p));
        tail = Math.Min(tail, 1);
        return towardsZero ? (tail, 1 - tail, density) : (1 - tail, tail, density);
    }

    /// <summary>
    /// Returns the continued fraction of the tail on the side of x, for x ≤ a/(a + b) (A. R. DiDonato and A. H. Morris, ACM TOMS 18, 1992, algorithm 708),
    /// modified Lentz. The fraction uses y = 1 − x only in a·y − b·x, so it stays accurate if x is near one.
    /// </summary>
    private static double Fraction(double a, double b, double x, double y)
    {
        var lambda = a * y - b * x;
        var f = a * (lambda + 1) / (a + 1);
        var c = f;
        var d = 0.0;
        for (var m = 1; m < 100_000; m++)
        {
            var middle = a + 2 * m - 1;
            var share = m * (b - m) * x / middle;
            var numerator = (a + m - 1) * (a + b + m - 1) * x / middle * share;
            var denominator = m + share + (a + m) * (lambda + 1 + m * (1 + y)) / (a + 2 * m + 1);
            d = 1 / (denominator + numerator * d);
            c = denominator + numerator / c;
            var factor = c * d;
            f *= factor;
            if (Math.Abs(factor - 1) < 1e-15)
                break;
        }

        return f;
    }

    /// <summary>
    /// Gets the start of the iteration: Abramowitz and Stegun 26.5.22 for a, b ≥ 1, otherwise the centre, from which Newton's method converges.
    /// </summary>
    private double Start(double lower, double upper)
    {
        if (_a < 1 || _b < 1)
            return Math.Log(_a / _b);
        var y = NormalDistribution.RoughUpperQuantile(Math.Min(lower, upper));
        if (lower > upper)
            y = -y;
        var (ra, rb) = (1 / Math.Max(2 * _a - 1, 0.5), 1 / Math.Max(2 * _b - 1, 0.5));
        var h = 2 / (ra + rb);
        var lambda = (y * y - 3) / 6;
        var w = y * Math.Sqrt(Math.Max(0, h + lambda)) / h - (rb - ra) * (lambda + 5.0 / 6 - 2 / (3 * h));
        return Math.Log(_a / _b) - 2 * w;
    }
}
