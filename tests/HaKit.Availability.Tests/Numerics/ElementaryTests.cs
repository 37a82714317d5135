using HaKit.Availability.Numerics;

namespace HaKit.Availability.Tests.Numerics;

/// <summary>Tests elementary functions by their functional equations, and chains by elimination with subtractions.</summary>
public sealed class ElementaryTests
{
    [Fact]
    public void The_logarithm_of_the_gamma_function_is_that_of_the_factorial_at_whole_numbers()
    {
        var factorial = 0.0;
        for (var n = 1; n <= 40; n++)
        {
            Stirling.LogGamma(n).Should().BeApproximately(factorial, 1e-13, "Γ({0})", n);
            factorial += Math.Log(n);
        }

        Stirling.LogGamma(0.5).Should().BeApproximately(Math.Log(Math.PI) / 2, 1e-14);
        Stirling.LogGamma(1.5).Should().BeApproximately(Math.Log(Math.PI) / 2 - Math.Log(2), 1e-14);
        (Stirling.LogGamma(0.3) + Stirling.LogGamma(0.7)).Should().BeApproximately(Math.Log(Math.PI / Math.Sin(0.3 * Math.PI)), 1e-14);
    }

    [Theory]
    [InlineData(0.1)]
    [InlineData(0.3)]
    [InlineData(1.7)]
    [InlineData(5.25)]
    [InlineData(13)]
    [InlineData(13.9)]
    [InlineData(14)]
    [InlineData(14.25)]
    [InlineData(15.5)]
    [InlineData(15.9)]
    [InlineData(16)]
    [InlineData(60)]
    public void Stirlings_error_obeys_the_recurrence_of_the_gamma_function(double a) =>
        (Stirling.Error(a) - Stirling.Error(a + 1)).Should().BeApproximately((a + 0.5) * Precise.Log1p(1 / a) - 1, 1.5e-15);

    [Fact]
    public void Ends_of_the_powers_and_logarithms_are_exact()
    {
        Precise.Log1p(double.PositiveInfinity).Should().Be(double.PositiveInfinity);
        (Precise.PowerOfComplement(1, 0), Precise.ComplementOfPower(1, 0)).Should().Be((1.0, 0.0));
        Reliability.Survival(1, 0).Should().Be(AvailabilityRatio.Always);
        Reliability.Survival(1, 1).Should().Be(AvailabilityRatio.Never);
    }

    [Theory]
    [InlineData(3.000000000002, 3, 3)]
    [InlineData(2.999999999998, 3, 3)]
    [InlineData(3.00000000001, 4, 3)]
    [InlineData(2.99999999999, 3, 2)]
    [InlineData(5e-13, 0, 0)]
    [InlineData(2e-12, 1, 0)]
    [InlineData(-5e-13, 0, 0)]
    [InlineData(-2e-12, 0, -1)]
    [InlineData(0, 0, 0)]
    [InlineData(2.5, 3, 2)]
    [InlineData(1e6, 1e6, 1e6)]
    public void Rounding_up_or_down_ignores_an_error_of_the_last_digits(double x, double ceiling, double floor)
    {
        Precise.Ceiling(x).Should().Be(ceiling);
        Precise.Floor(x).Should().Be(floor);
    }

    [Fact]
    public void A_count_fits_up_to_the_largest_integer()
    {
        Precise.ToCount(int.MaxValue).Should().Be(int.MaxValue);
        FluentActions.Invoking(() => Precise.ToCount(int.MaxValue + 1.0)).Should().ThrowExactly<OverflowException>().WithMessage("*32-bit*");
        Precise.FromTicks(1e300).Should().Be(TimeSpan.MaxValue);
        Precise.FromTicks(2.5).Should().Be(new TimeSpan(2));
    }

    [Theory]
    [InlineData(3, 1)]
    [InlineData(4, 2)]
    [InlineData(5, 3)]
    [InlineData(6, 4)]
    public void Chains_with_any_transitions_agree_with_elimination(int n, int seed)
    {
        var random = new Random(seed);
        var rates = new double[n, n];
        var absorbing = new double[n];
        for (var i = 0; i < n; i++)
        {
            absorbing[i] = random.NextDouble();
            for (var j = 0; j < n; j++)
                rates[i, j] = i == j ? 0 : random.NextDouble() < 0.2 ? 0 : random.NextDouble();
            rates[i, (i + 1) % n] += 0.1;
        }

        // Times: Σⱼ q[i, j]·(t[i] − t[j]) + absorbing[i]·t[i] = 1.
        var (system, right) = (new double[n, n], new double[n]);
        for (var i = 0; i < n; i++)
        {
            right[i] = 1;
            system[i, i] = absorbing[i];
            for (var j = 0; j < n; j++)
            {
                system[i, i] += rates[i, j];
                system[i, j] -= rates[i, j];
            }
        }

        MarkovChain.MeanTimeToAbsorption(rates, absorbing).Should().BeApproximately(LinearSystem.Solve(system, right)[0], 1e-12);
        var expected = LinearSystem.SteadyState(rates);
        var p = MarkovChain.SteadyState(rates);
        for (var i = 0; i < n; i++)
            p[i].Should().BeApproximately(expected[i], 1e-14);
    }
}
