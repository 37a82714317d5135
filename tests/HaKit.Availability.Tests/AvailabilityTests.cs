using System.Globalization;

namespace HaKit.Availability.Tests;

public sealed class AvailabilityTests
{
    [Theory]
    [InlineData("99.95%", "99.95%", "3N5", "three nines five")]
    [InlineData("0.9995", "99.95%", "3N5", "three nines five")]
    [InlineData("3N5", "99.95%", "3N5", "three nines five")]
    [InlineData(" three nines five ", "99.95%", "3N5", "three nines five")]
    [InlineData("1-5E-4", "99.95%", "3N5", "three nines five")]
    [InlineData("99.9 %", "99.9%", "3N", "three nines")]
    [InlineData("one nine", "90%", "1N", "one nine")]
    [InlineData("99.99", null, null, null)]
    [InlineData("12N", "99.9999999999%", "12N", "twelve nines")]
    [InlineData("99.9999999999%", "99.9999999999%", "12N", "twelve nines")]
    [InlineData("99.968%", "99.968%", "3N6", "three nines six")]
    [InlineData("50%", "50%", "0N5", "zero nines five")]
    [InlineData("100%", "100%", "100%", "always")]
    [InlineData("0%", "0%", "0N", "zero nines")]
    [InlineData("1-1E-25", "1-1E-25", "25N", "25 nines")]
    [InlineData("100.1%", null, null, null)]
    [InlineData("-1%", null, null, null)]
    [InlineData("NaN", null, null, null)]
    [InlineData("3N55", null, null, null)]
    [InlineData("nines", null, null, null)]
    [InlineData("", null, null, null)]
    [InlineData("1-2", null, null, null)]
    public void Text_is_read_and_written(string text, string? percent, string? nines, string? words)
    {
        if (percent is null)
        {
            Availability.TryParse(text, out _).Should().BeFalse();
            FluentActions.Invoking(() => Availability.Parse(text)).Should().Throw<FormatException>().WithMessage($"*'{text}'*");
            return;
        }

        var availability = Availability.Parse(text);
        availability.ToString().Should().Be(percent);
        availability.ToString("N").Should().Be(nines);
        availability.ToString("W").Should().Be(words);
        Availability.Parse(availability.ToString("R")).Unavailability.Should().Be(availability.Unavailability);
    }

    [Fact]
    public void Text_does_not_depend_on_the_culture_and_refuses_other_formats()
    {
        var comma = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        comma.NumberFormat.NumberDecimalSeparator = ",";
        string.Create(comma, $"{Availability.Of(0.9995m):P}").Should().Be("99.95%");
        Availability.Parse("99.95%", comma).Should().Be(Availability.Of(0.9995m));
        FluentActions.Invoking(() => Availability.Always.ToString("X")).Should().Throw<FormatException>();
    }

    [Fact]
    public void A_decimal_target_has_an_exact_complement_that_a_double_has_not()
    {
        Availability.Of(0.9999m).Unavailability.Should().Be(1e-4);
        Availability.Of(0.9999).Unavailability.Should().NotBe(1e-4);
        Availability.Parse("99.99%").Unavailability.Should().Be(1e-4);
    }

    [Fact]
    public void Meeting_a_target_exactly_is_meeting_it()
    {
        var two = Availability.Parallel(Availability.Of(0.9m), Availability.Of(0.9m));
        two.Unavailability.Should().BeGreaterThan(0.01, "0.1 · 0.1 is rounded up");
        two.Meets(Availability.Of(0.99m)).Should().BeTrue();
        Availability.FromUnavailability(0.0100001).Meets(Availability.Of(0.99m)).Should().BeFalse();
    }

    [Fact]
    public void Default_is_never_up()
    {
        default(Availability).Should().Be(Availability.Never);
        default(Availability).Unavailability.Should().Be(1);
        default(Availability).GetHashCode().Should().Be(Availability.Never.GetHashCode());
        default(Availability).Nines.Should().Be(0);
    }

    [Fact]
    public void Order_is_by_availability_down_to_the_last_nine()
    {
        var (worse, better) = (Availability.FromUnavailability(2e-15), Availability.FromUnavailability(1e-18));
        (worse < better && better > worse && worse <= better && better >= worse && worse != better).Should().BeTrue();
        Availability.Of(0.1).CompareTo(Availability.Of(0.2)).Should().BeNegative();
        worse.CompareTo((object)better).Should().BeNegative();
        worse.CompareTo(null).Should().BePositive();
        FluentActions.Invoking(() => worse.CompareTo("99%")).Should().Throw<ArgumentException>();
    }

    [Fact]
    public void Nothing_in_series_is_always_up_and_nothing_in_parallel_never()
    {
        Availability.Series().Should().Be(Availability.Always);
        Availability.Parallel().Should().Be(Availability.Never);
        Availability.KofN(0).Should().Be(Availability.Always);
    }

    [Fact]
    public void Required_times_lead_back_to_the_availability()
    {
        var target = Availability.Of(0.9995m);
        Availability.FromMttfMttr(720, target.RequiredMttr(720)).Unavailability.Should().BeApproximately(5e-4, 1e-18);
        Availability.FromMttfMttr(target.RequiredMttf(2), 2).Unavailability.Should().BeApproximately(5e-4, 1e-18);
        Availability.FromMttfMttr(TimeSpan.FromDays(30), TimeSpan.FromHours(1)).Should().Be(Availability.FromMttfMttr(720, 1));
    }

    [Theory]
    [InlineData(1e-9)]
    [InlineData(0.01)]
    [InlineData(0.5)]
    [InlineData(3)]
    public void Interval_availability_is_the_mean_of_the_instantaneous_one(double t)
    {
        // Simpson on 20,000 steps; accurate to far better than the 1e-9 asked for, in U.
        const int n = 20_000;
        var sum = 0.0;
        for (var i = 0; i <= n; i++)
            sum += Availability.Instantaneous(100, 1, t * i / n).Unavailability * (i is 0 or n ? 1 : i % 2 == 1 ? 4 : 2);
        var mean = sum / (3.0 * n);
        (Math.Abs(Availability.Interval(100, 1, t).Unavailability - mean) / mean).Should().BeLessThan(1e-9);
    }

    [Fact]
    public void In_the_long_run_both_become_the_steady_state()
    {
        var steady = Availability.FromMttfMttr(100, 1);
        Availability.Instantaneous(100, 1, 0).Should().Be(Availability.Always);
        Availability.Instantaneous(100, 1, 1e5).Unavailability.Should().Be(steady.Unavailability);
        Availability.Interval(100, 1, 0).Should().Be(Availability.Always);
        (Availability.Interval(100, 1, 1e9).Unavailability / steady.Unavailability).Should().BeApproximately(1, 1e-8);
    }
}
