using HaKit.Availability.Numerics;

namespace HaKit.Availability.Tests.Numerics;

/// <summary>Expected values are from 50-digit arithmetic on the given doubles.</summary>
public sealed class NumericsTests
{
    [Theory]
    [InlineData(1e-17, 1.0000000000000000665e-17, 1.0000000000000000765e-17)]
    [InlineData(1e-12, 9.9999999999949997989e-13, 1.0000000000004999799e-12)]
    [InlineData(1e-8, 9.9999999500000005426e-9, 1.0000000050000000376e-8)]
    [InlineData(1e-5, 9.9999500003333316514e-6, 0.000010000050000166667901)]
    [InlineData(0.001, 0.00099950033308353318761, 0.0010005001667083416889)]
    [InlineData(0.3, 0.2623642644674910435, 0.349858807576003089)]
    [InlineData(0.9, 0.64185388617239478768, 1.4596031111569497184)]
    [InlineData(-1e-17, -1.0000000000000000765e-17, -1.0000000000000000665e-17)]
    [InlineData(-1e-12, -1.0000000000004999799e-12, -9.9999999999949997989e-13)]
    [InlineData(-1e-5, -0.000010000050000333336651, -9.999950000166667068e-6)]
    [InlineData(-0.01, -0.010050335853501441394, -0.0099501662508319466322)]
    [InlineData(-0.4, -0.51082562376599072021, -0.32967995396436071414)]
    [InlineData(-0.999, -6.9077552789821361639, -0.63175249538633707846)]
    public void Logarithm_and_exponential_near_zero_keep_their_digits(double x, double log1p, double expm1)
    {
        Relative(Precise.Log1p(x), log1p).Should().BeLessThan(1e-15);
        Relative(Precise.Expm1(x), expm1).Should().BeLessThan(1e-15);
    }

    [Fact]
    public void The_frameworks_own_functions_are_why_these_exist() => double.LogP1(1e-17).Should().Be(0);

    [Theory]
    [InlineData(2, 0.025, false, 0.0506356159685797537)]
    [InlineData(2, 0.025, true, 7.37775890822787249)]
    [InlineData(1, 1e-9, true, 37.324893051362329)]
    [InlineData(14, 0.1, false, 7.78953360975236974)]
    [InlineData(16, 0.1, true, 23.5418289230961116)]
    [InlineData(1, 0.001, false, 1.57079714926248994e-6)]
    [InlineData(20000, 0.025, true, 20393.8836499997665)]
    [InlineData(20000, 0.025, false, 19609.9049345203663)]
    [InlineData(3, 1e-30, false, 2.4179879310247046e-20)]
    public void Chi_squared_quantiles_are_accurate_in_both_tails(double degrees, double tail, bool upper, double expected)
    {
        var actual = upper ? GammaDistribution.ChiSquared(degrees, 1 - tail, tail) : GammaDistribution.ChiSquared(degrees, tail, 1 - tail);
        Relative(actual, expected).Should().BeLessThan(1e-12);
    }

    [Theory]
    [InlineData(0.025, 1.95996398454005421)]
    [InlineData(0.05, 1.64485362695147269)]
    [InlineData(1e-10, 6.3613409024040562)]
    [InlineData(0.4, 0.253347103135799741)]
    [InlineData(0.9, -1.28155156554460059)]
    public void Normal_quantiles_are_accurate(double tail, double expected) =>
        Relative(NormalDistribution.UpperQuantile(tail), expected).Should().BeLessThan(1e-12);

    [Theory]
    [InlineData(0.5, 0.510691989265240774)]
    [InlineData(2, 1.64301608014093705)]
    [InlineData(5, 6.5426456723906545)]
    [InlineData(5.612, 7.99999687665929352)]
    [InlineData(10, 23.1180534054860759)]
    [InlineData(40, 349.437006459345842)]
    [InlineData(-3, 0.000586649313790066691)]
    public void Suspicion_is_the_exact_normal_tail_even_where_the_probability_underflows(double z, double phi) =>
        Relative(Heartbeat.Phi(100, 1, 100 + z), phi).Should().BeLessThan(1e-12);

    [Theory]
    [InlineData(3)]
    [InlineData(2998)]
    [InlineData(3002)]
    [InlineData(1_000_000)]
    public void Quantiles_invert_their_own_tails_by_either_method(double shape)
    {
        foreach (var tail in (double[])[1e-12, 0.001, 0.2, 0.5])
        {
            var gamma = new GammaDistribution(shape);
            Relative(gamma.Tails(Math.Log(gamma.Quantile(1 - tail, tail))).Upper, tail).Should().BeLessThan(1e-9);
            var beta = new BetaDistribution(shape, 2 * shape);
            Relative(beta.Tails(beta.Quantile(tail, 1 - tail)).Lower, tail).Should().BeLessThan(1e-9);
        }
    }

    [Fact]
    public void Incomplete_beta_is_the_binomial_tail_exactly()
    {
        foreach (var u in (double[])[1e-9, 0.003, 0.4, 0.75])
        {
            for (var n = 1; n <= 30; n += 7)
            {
                for (var k = 1; k <= n; k++)
                {
                    var (exactUp, exactDown) = Binomial(k, n, Rational.Of(u));
                    var actual = Capacity.AtLeast(k, n, AvailabilityRatio.FromUnavailability(u));
                    exactDown.RelativeErrorOf(actual.Unavailability).Should().BeLessThan(2e-13, "n {0}, k {1}, u {2}", n, k, u);
                    exactUp.RelativeErrorOf(actual.Value).Should().BeLessThan(2e-13, "n {0}, k {1}, u {2}", n, k, u);
                }
            }
        }
    }

    [Fact]
    public void Steady_state_of_a_long_birth_death_chain_keeps_its_smallest_digits()
    {
        // p[i] is proportional to (λ/μ)ⁱ: products, exact to a rounding each.
        const int n = 40;
        const double ratio = 1e-4;
        var rates = new double[n, n];
        for (var i = 0; i + 1 < n; i++)
            (rates[i, i + 1], rates[i + 1, i]) = (ratio, 1);

        var p = MarkovChain.SteadyState(rates);

        for (var i = 0; i < n; i++)
            Relative(p[i], (1 - ratio) * Math.Pow(ratio, i)).Should().BeLessThan(1e-13);
    }

    private static (Rational Up, Rational Down) Binomial(int k, int n, Rational u)
    {
        Rational up = Rational.Zero, down = Rational.Zero;
        for (var i = 0; i <= n; i++)
        {
            var term = Rational.Of(Choose(n, i));
            for (var j = 0; j < n; j++)
                term *= j < i ? Rational.One - u : u;
            if (i >= k)
                up += term;
            else
                down += term;
        }

        return (up, down);
    }

    private static double Choose(int n, int k) => k == 0 ? 1 : Choose(n - 1, k - 1) * n / k;

    private static double Relative(double actual, double expected) => Math.Abs(actual - expected) / Math.Abs(expected);
}
