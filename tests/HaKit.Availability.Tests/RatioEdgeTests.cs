using System.Globalization;

namespace HaKit.Availability.Tests;

/// <summary>Tests the values at which a ratio changes its form of calculation or its form as text.</summary>
public sealed class RatioEdgeTests
{
    [Theory]
    [InlineData(1, true)]
    [InlineData(2, true)]
    [InlineData(1.5, true)]
    [InlineData(0.999, false)]
    [InlineData(2.001, false)]
    public void An_interval_contains_its_ends_and_nothing_outside(double value, bool contained) =>
        new NumberInterval(1, 2, 0.95).Contains(value).Should().Be(contained);

    [Theory]
    [InlineData(3, 2, 1.5)]
    [InlineData(1000, 0.25, 0.1)]
    [InlineData(0.5, 4, 7)]
    public void The_availability_at_a_time_is_the_closed_form_in_both_parts(double mttf, double mttr, double time)
    {
        double failure = 1 / mttf, repair = 1 / mttr, sum = failure + repair, fading = Math.Exp(-sum * time);
        var at = AvailabilityRatio.Instantaneous(mttf, mttr, time);
        at.Value.Should().BeApproximately((repair + failure * fading) / sum, 1e-15);
        at.Unavailability.Should().BeApproximately(failure / sum * (1 - fading), 1e-15);

        var until = AvailabilityRatio.Interval(mttf, mttr, time);
        var mean = (1 - fading) / (sum * time);
        until.Value.Should().BeApproximately((repair + failure * mean) / sum, 1e-14);
        until.Unavailability.Should().BeApproximately(failure / sum * (1 - mean), 1e-14);
    }

    [Fact]
    public void The_nines_of_never_are_a_positive_zero() => double.IsNegative(AvailabilityRatio.Never.Nines).Should().BeFalse();

    [Fact]
    public void Ratios_are_compared_by_the_part_that_has_digits()
    {
        var (better, best) = (AvailabilityRatio.FromUnavailability(2e-20), AvailabilityRatio.FromUnavailability(1e-20));
        (better.Value, best.Value).Should().Be((1.0, 1.0));
        better.CompareTo(best).Should().BeNegative();
        best.CompareTo(better).Should().BePositive();

        var (worst, worse) = (AvailabilityRatio.From(1e-20), AvailabilityRatio.From(2e-20));
        (worst.Unavailability, worse.Unavailability).Should().Be((1.0, 1.0));
        worst.CompareTo(worse).Should().BeNegative();
        worse.CompareTo(worst).Should().BePositive();
        worst.CompareTo(best).Should().BeNegative();
        best.CompareTo(worst).Should().BePositive();
    }

    [Fact]
    public void Nines_and_a_digit_are_the_same_number_as_the_decimal_text()
    {
        for (var nines = 0; nines <= 20; nines++)
        {
            for (var digit = 0; digit <= 9; digit++)
            {
                var expected = double.Parse($"{10 - digit}E-{nines + 1}", CultureInfo.InvariantCulture);
                AvailabilityRatio.Parse($"{nines}N{digit}").Unavailability.Should().Be(expected, "{0}N{1}", nines, digit);
            }
        }

        (AvailabilityRatio.Parse("26N5").Unavailability / 5e-27).Should().BeApproximately(1, 1e-15);
        AvailabilityRatio.Parse("zero nines five").Unavailability.Should().Be(0.5);
    }

    [Fact]
    public void A_decimal_of_27_characters_keeps_its_complement_and_a_longer_one_is_read_as_a_double()
    {
        AvailabilityRatio.Parse("0." + new string('9', 25)).Unavailability.Should().BeApproximately(1e-25, 1e-40);
        AvailabilityRatio.Parse("0." + new string('9', 26)).Unavailability.Should().Be(0);
    }

    [Theory]
    [InlineData(1.234e-10, "0.0000000123%")]
    [InlineData(1.234e-15, "0.000000000000123%")]
    [InlineData(0.00999, "0.999%")]
    [InlineData(0.01, "1%")]
    public void A_small_availability_is_written_with_three_of_its_own_digits(double availability, string text) =>
        AvailabilityRatio.From(availability).ToString().Should().Be(text);
}
