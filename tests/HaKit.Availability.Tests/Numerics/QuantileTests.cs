using HaKit.Availability.Numerics;

namespace HaKit.Availability.Tests.Numerics;

/// <summary>Tests tails against series of positive terms that the library does not use, and the iteration for quantiles from distant starts.</summary>
public sealed class QuantileTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(50)]
    [InlineData(2999)]
    [InlineData(3000)]
    [InlineData(3001)]
    [InlineData(100_000)]
    public void Gamma_tails_are_those_of_the_Poisson_sums(int shape)
    {
        var gamma = new GammaDistribution(shape);
        foreach (var deviations in (double[])[0.01, 0.5, 3, 10, 30])
        {
            var x = shape + deviations * Math.Sqrt(shape);
            var above = gamma.Tails(Math.Log(x));
            Relative(above.Upper / above.Density, PoissonBelow(shape, Math.Exp(Math.Log(x)))).Should().BeLessThan(3e-10, "shape {0}, {1} above", shape, deviations);
            (above.Lower + above.Upper).Should().Be(1);
            x = shape / (1 + deviations / Math.Sqrt(shape));
            var below = gamma.Tails(Math.Log(x));
            Relative(below.Lower / below.Density, PoissonAbove(shape, Math.Exp(Math.Log(x)))).Should().BeLessThan(3e-10, "shape {0}, {1} below", shape, deviations);
            (below.Lower + below.Upper).Should().Be(1);
        }
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(40, 3)]
    [InlineData(3000, 3000)]
    [InlineData(3001, 4000)]
    [InlineData(50_000, 20_000)]
    public void Beta_tails_are_those_of_the_hypergeometric_series(double a, double b)
    {
        var spread = Math.Sqrt(1 / a + 1 / b);
        foreach (var deviations in (double[])[0.01, 0.5, 3, 10, 25])
        {
            var low = new BetaDistribution(a, b).Tails(Math.Log(a / b) - deviations * spread);
            Relative(low.Lower / low.Density, Hypergeometric(a, b, 1 / (1 + b / a * Math.Exp(deviations * spread)))).Should().BeLessThan(3e-10, "{0}, {1}, {2}", a, b, deviations);
            (low.Lower + low.Upper).Should().Be(1);
            var high = new BetaDistribution(b, a).Tails(Math.Log(b / a) + deviations * spread);
            Relative(high.Upper, low.Lower).Should().BeLessThan(1e-9, "the tails of p and 1 − p are mirrored");
        }
    }

    [Theory]
    [InlineData(-700)]
    [InlineData(-150)]
    [InlineData(-20)]
    [InlineData(1)]
    public void A_lower_quantile_is_found_from_far_below(double start)
    {
        var gamma = new GammaDistribution(5);
        foreach (var tail in (double[])[1e-12, 0.1, 0.5])
            Relative(gamma.Tails(LogConcave.Quantile(gamma, tail, 1 - tail, start)).Lower, tail).Should().BeLessThan(1e-12);
    }

    [Theory]
    [InlineData(500)]
    [InlineData(50)]
    [InlineData(7)]
    [InlineData(1)]
    public void An_upper_quantile_is_found_from_far_above(double start)
    {
        var gamma = new GammaDistribution(5);
        foreach (var tail in (double[])[1e-12, 0.1, 0.49])
            Relative(gamma.Tails(LogConcave.Quantile(gamma, 1 - tail, tail, start)).Upper, tail).Should().BeLessThan(1e-12);
    }

    [Fact]
    public void Quantiles_lead_back_to_their_tails_for_every_shape()
    {
        double[] shapes = [0.01, 0.3, 0.5, 0.99, 1, 1.01, 2, 30, 2999, 3001, 1e6, 1e9];
        double[] tails = [1e-200, 1e-60, 1e-12, 0.001, 0.3, 0.5];
        foreach (var a in shapes)
        {
            foreach (var tail in tails)
            {
                if (Math.Log(tail) / a > -600)
                {
                    var gamma = new GammaDistribution(a);
                    Relative(Math.Log(gamma.Tails(Math.Log(gamma.Quantile(tail, 1 - tail))).Lower), Math.Log(tail)).Should().BeLessThan(1e-8, "gamma {0}, lower {1}", a, tail);
                    Relative(Math.Log(gamma.Tails(Math.Log(gamma.Quantile(1 - tail, tail))).Upper), Math.Log(tail)).Should().BeLessThan(1e-8, "gamma {0}, upper {1}", a, tail);
                }

                foreach (var b in shapes)
                {
                    if (Math.Log(tail) / a < -600)
                        continue;
                    var beta = new BetaDistribution(a, b);
                    Relative(Math.Log(beta.Tails(beta.LogOdds(tail, 1 - tail)).Lower), Math.Log(tail)).Should().BeLessThan(1e-8, "beta {0}, {1}, lower {2}", a, b, tail);
                }
            }
        }
    }

    [Fact]
    public void The_rough_normal_quantile_is_off_by_less_than_its_bound()
    {
        foreach (var tail in (double[])[0.5, 0.45, 0.3, 0.1, 0.01, 1e-4, 1e-8, 1e-16, 1e-40])
        {
            var exact = tail == 0.5 ? 0 : NormalDistribution.UpperQuantile(tail);
            NormalDistribution.RoughUpperQuantile(tail).Should().BeApproximately(exact, 5e-4, "tail {0}", tail);
        }
    }

    [Fact]
    public void A_confidence_near_one_keeps_its_digits()
    {
        // F(2, 2) has the distribution function x/(1 + x), so its quantile is confidence/(1 − confidence) = 2⁴⁰ − 1.
        var lower = Estimate.AvailabilityLower(3, 2, 1, 1, 1 - Math.Pow(2, -40));
        Relative(lower.Value, 3 / (3 + 2 * (Math.Pow(2, 40) - 1))).Should().BeLessThan(1e-12);
    }

    [Fact]
    public void Nothing_is_certain_to_be_above_zero() => new GammaDistribution(2).LogUpperTail(0).Should().Be(0);

    /// <summary>P(Poisson(x) &lt; s) by the density x·f(x): (1/x)·(1 + (s−1)/x + (s−1)(s−2)/x² + …).</summary>
    private static double PoissonBelow(int shape, double x)
    {
        double term = 1 / x, sum = 0;
        for (var k = 1; k <= shape && term > sum * 1e-18; k++)
        {
            sum += term;
            term *= (shape - k) / x;
        }

        return sum;
    }

    /// <summary>P(Poisson(x) ≥ s) by the density x·f(x): (1/s)·(1 + x/(s+1) + x²/((s+1)(s+2)) + …).</summary>
    private static double PoissonAbove(int shape, double x)
    {
        double term = 1.0 / shape, sum = 0;
        for (var k = 1; term > sum * 1e-18; k++)
        {
            sum += term;
            term *= x / (shape + k);
        }

        return sum;
    }

    /// <summary>P(X ≤ p) by the density with respect to the log-odds: (1/a)·(1 + (a+b)/(a+1)·p + (a+b)(a+b+1)/((a+1)(a+2))·p² + …).</summary>
    private static double Hypergeometric(double a, double b, double p)
    {
        double term = 1 / a, sum = 0;
        for (var k = 0; term > sum * 1e-18; k++)
        {
            sum += term;
            term *= (a + b + k) / (a + 1 + k) * p;
        }

        return sum;
    }

    private static double Relative(double actual, double expected) => Math.Abs(actual - expected) / Math.Abs(expected);
}
