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
    [InlineData("1-0", "100%", "100%", "always")]
    [InlineData("1-1", "0%", "0N", "zero nines")]
    [InlineData("1--1", null, null, null)]
    [InlineData("1-x", null, null, null)]
    [InlineData("1", "100%", "100%", "always")]
    [InlineData("0", "0%", "0N", "zero nines")]
    [InlineData("1.0000001", null, null, null)]
    [InlineData("1e-3", "0.1%", "0N", "zero nines")]
    [InlineData("1e2%", "100%", "100%", "always")]
    [InlineData("1e3%", null, null, null)]
    [InlineData("-1e-30", null, null, null)]
    [InlineData("0.99999999999999999999999999999999", "100%", "100%", "always")]
    [InlineData("3n5", "99.95%", "3N5", "three nines five")]
    [InlineData("0N", "0%", "0N", "zero nines")]
    [InlineData("N5", null, null, null)]
    [InlineData("3Nx", null, null, null)]
    [InlineData("-3N", null, null, null)]
    [InlineData("2N9", "99.9%", "3N", "three nines")]
    [InlineData("301N", null, null, null)]
    [InlineData("two nines ten", null, null, null)]
    [InlineData("two tens five", null, null, null)]
    [InlineData("two nines five six", null, null, null)]
    [InlineData("x nines", null, null, null)]
    [InlineData("One  Nine", "90%", "1N", "one nine")]
    [InlineData("twelve nines nine", "99.99999999999%", "13N", "13 nines")]
    [InlineData("49.9%", "49.9%", "0N4", "zero nines four")]
    [InlineData("5%", "5%", "0N", "zero nines")]
    [InlineData("0.012%", "0.012%", "0N", "zero nines")]
    [InlineData("99.99999%", "99.99999%", "7N", "seven nines")]
    public void Text_is_read_and_written(string text, string? percent, string? nines, string? words)
    {
        if (percent is null)
        {
            AvailabilityRatio.TryParse(text, out _).Should().BeFalse();
            FluentActions.Invoking(() => AvailabilityRatio.Parse(text)).Should().Throw<FormatException>().WithMessage($"*'{text}'*");
            return;
        }

        var availability = AvailabilityRatio.Parse(text);
        availability.ToString().Should().Be(percent);
        availability.ToString("N").Should().Be(nines);
        availability.ToString("W").Should().Be(words);
        AvailabilityRatio.Parse(availability.ToString("R")).Unavailability.Should().Be(availability.Unavailability);
    }

    [Fact]
    public void Text_does_not_depend_on_the_culture_and_refuses_other_formats()
    {
        var comma = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        comma.NumberFormat.NumberDecimalSeparator = ",";
        string.Create(comma, $"{AvailabilityRatio.From(0.9995m):P}").Should().Be("99.95%");
        AvailabilityRatio.Parse("99.95%", comma).Should().Be(AvailabilityRatio.From(0.9995m));
        FluentActions.Invoking(() => AvailabilityRatio.Always.ToString("X")).Should().Throw<FormatException>();
    }

    [Fact]
    public void A_decimal_target_has_an_exact_complement_that_a_double_has_not()
    {
        AvailabilityRatio.From(0.9999m).Unavailability.Should().Be(1e-4);
        AvailabilityRatio.From(0.9999).Unavailability.Should().NotBe(1e-4);
        AvailabilityRatio.Parse("99.99%").Unavailability.Should().Be(1e-4);
    }

    [Fact]
    public void Meeting_a_target_exactly_is_meeting_it()
    {
        var two = AvailabilityRatio.Parallel(AvailabilityRatio.From(0.9m), AvailabilityRatio.From(0.9m));
        two.Unavailability.Should().BeGreaterThan(0.01, "0.1 · 0.1 is rounded up");
        two.Meets(AvailabilityRatio.From(0.99m)).Should().BeTrue();
        AvailabilityRatio.FromUnavailability(0.0100001).Meets(AvailabilityRatio.From(0.99m)).Should().BeFalse();
    }

    [Fact]
    public void Default_is_never_up()
    {
        default(AvailabilityRatio).Should().Be(AvailabilityRatio.Never);
        default(AvailabilityRatio).Unavailability.Should().Be(1);
        default(AvailabilityRatio).GetHashCode().Should().Be(AvailabilityRatio.Never.GetHashCode());
        default(AvailabilityRatio).Nines.Should().Be(0);
    }

    [Fact]
    public void Order_is_by_availability_down_to_the_last_nine()
    {
        var (worse, better) = (AvailabilityRatio.FromUnavailability(2e-15), AvailabilityRatio.FromUnavailability(1e-18));
        (worse < better && better > worse && worse <= better && better >= worse && worse != better).Should().BeTrue();
        AvailabilityRatio.From(0.1).CompareTo(AvailabilityRatio.From(0.2)).Should().BeNegative();
        worse.CompareTo((object)better).Should().BeNegative();
        worse.CompareTo(null).Should().BePositive();
        FluentActions.Invoking(() => worse.CompareTo("99%")).Should().Throw<ArgumentException>();
    }

    [Fact]
    public void Nothing_in_series_is_always_up_and_nothing_in_parallel_never()
    {
        AvailabilityRatio.Series().Should().Be(AvailabilityRatio.Always);
        AvailabilityRatio.Parallel().Should().Be(AvailabilityRatio.Never);
        AvailabilityRatio.KofN(0).Should().Be(AvailabilityRatio.Always);
    }

    [Fact]
    public void Text_keeps_three_digits_of_what_is_lost()
    {
        AvailabilityRatio.FromUnavailability(1.23456e-6).ToString().Should().Be("99.999877%");
        AvailabilityRatio.FromUnavailability(0.123456).ToString().Should().Be("87.7%");
        AvailabilityRatio.FromUnavailability(0.5).ToString().Should().Be("50%");
        AvailabilityRatio.From(0.123456).ToString().Should().Be("12.35%");
        AvailabilityRatio.From(0.00123456).ToString().Should().Be("0.123%");
        AvailabilityRatio.FromUnavailability(1e-22).ToString().Should().Be("99.99999999999999999999%");
        AvailabilityRatio.FromUnavailability(9e-23).ToString().Should().Be("1-9E-23");
        AvailabilityRatio.FromUnavailability(0.5).ToString("R").Should().Be("0.5");
        AvailabilityRatio.FromUnavailability(0.25).ToString("R").Should().Be("1-0.25");
        AvailabilityRatio.From(0.9995m).ToString("G").Should().Be("99.95%");
        AvailabilityRatio.From(0.9995m).ToString("").Should().Be("99.95%");
        AvailabilityRatio.Parse("300N").Nines.Should().BeApproximately(300, 1e-9);
        AvailabilityRatio.Parse("26N").Unavailability.Should().Be(1e-26);
        AvailabilityRatio.Parse("27N5").Unavailability.Should().BeApproximately(5e-28, 1e-40);
        FluentActions.Invoking(() => AvailabilityRatio.Parse(null!)).Should().Throw<ArgumentNullException>();
        AvailabilityRatio.TryParse(null, out _).Should().BeFalse();
    }

    [Fact]
    public void Nines_are_counted_from_whichever_part_is_exact()
    {
        AvailabilityRatio.From(0.9995m).Nines.Should().BeApproximately(3.30103, 1e-5);
        AvailabilityRatio.FromNines(3.5).Unavailability.Should().BeApproximately(Math.Pow(10, -3.5), 1e-18);
        AvailabilityRatio.FromNines(3.5).Value.Should().BeApproximately(1 - Math.Pow(10, -3.5), 1e-15);
        AvailabilityRatio.FromNines(0).Should().Be(AvailabilityRatio.Never);
        AvailabilityRatio.FromNines(double.PositiveInfinity).Should().Be(AvailabilityRatio.Always);
        AvailabilityRatio.Always.Nines.Should().Be(double.PositiveInfinity);
        AvailabilityRatio.From(1e-18).Nines.Should().BeApproximately(1e-18 / Math.Log(10), 1e-30, "however close to never");
        AvailabilityRatio.FromUnavailability(0.5).Nines.Should().BeApproximately(Math.Log10(2), 1e-15);
    }

    [Fact]
    public void Equality_is_of_both_parts_and_order_is_total()
    {
        var a = AvailabilityRatio.FromPair(0.5, 0.25);
        a.Equals(AvailabilityRatio.FromPair(0.5, 0.25)).Should().BeTrue();
        (a == AvailabilityRatio.FromPair(0.5, 0.26) || a == AvailabilityRatio.FromPair(0.6, 0.25)).Should().BeFalse();
        a.Equals((object)AvailabilityRatio.FromPair(0.5, 0.25)).Should().BeTrue();
        a.Equals("0.5").Should().BeFalse();
        AvailabilityRatio.FromPair(1.1, 1.2).Should().Be(AvailabilityRatio.FromPair(1, 1), "rounding past one is cut off");
        a.GetHashCode().Should().NotBe(AvailabilityRatio.FromPair(0.5, 0.26).GetHashCode());

        AvailabilityRatio[] sorted = [AvailabilityRatio.Never, AvailabilityRatio.From(0.2), AvailabilityRatio.From(0.5), AvailabilityRatio.From(0.8), AvailabilityRatio.Always];
        for (var i = 0; i < sorted.Length; i++)
        {
            for (var j = 0; j < sorted.Length; j++)
            {
                (sorted[i] < sorted[j], sorted[i] <= sorted[j], sorted[i] > sorted[j], sorted[i] >= sorted[j], sorted[i] == sorted[j], sorted[i] != sorted[j])
                    .Should().Be((i < j, i <= j, i > j, i >= j, i == j, i != j));
            }
        }
    }

    [Fact]
    public void A_period_loses_its_share()
    {
        AvailabilityRatio.From(0.999m).Downtime(TimeSpan.FromDays(30)).Should().Be(TimeSpan.FromMinutes(43.2));
        AvailabilityRatio.Always.Downtime(TimeSpan.FromDays(30)).Should().Be(TimeSpan.Zero);
        AvailabilityRatio.Never.RequiredMttr(5).Should().Be(double.PositiveInfinity);
        AvailabilityRatio.Always.RequiredMttf(5).Should().Be(double.PositiveInfinity);
        AvailabilityRatio.From(0.75m).RequiredMttf(2).Should().BeApproximately(6, 1e-14);
        AvailabilityRatio.FromDowntime(TimeSpan.FromHours(10), TimeSpan.FromHours(10)).Should().Be(AvailabilityRatio.Never);
        AvailabilityRatio.FromDowntime(TimeSpan.FromHours(10), TimeSpan.Zero).Should().Be(AvailabilityRatio.Always);
    }

    [Fact]
    public void Required_times_lead_back_to_the_availability()
    {
        var target = AvailabilityRatio.From(0.9995m);
        AvailabilityRatio.FromMttfMttr(720, target.RequiredMttr(720)).Unavailability.Should().BeApproximately(5e-4, 1e-18);
        AvailabilityRatio.FromMttfMttr(target.RequiredMttf(2), 2).Unavailability.Should().BeApproximately(5e-4, 1e-18);
        AvailabilityRatio.FromMttfMttr(TimeSpan.FromDays(30), TimeSpan.FromHours(1)).Should().Be(AvailabilityRatio.FromMttfMttr(720, 1));
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
            sum += AvailabilityRatio.Instantaneous(100, 1, t * i / n).Unavailability * (i is 0 or n ? 1 : i % 2 == 1 ? 4 : 2);
        var mean = sum / (3.0 * n);
        (Math.Abs(AvailabilityRatio.Interval(100, 1, t).Unavailability - mean) / mean).Should().BeLessThan(1e-9);
    }

    [Fact]
    public void In_the_long_run_both_become_the_steady_state()
    {
        var steady = AvailabilityRatio.FromMttfMttr(100, 1);
        AvailabilityRatio.Instantaneous(100, 1, 0).Should().Be(AvailabilityRatio.Always);
        AvailabilityRatio.Instantaneous(100, 1, 1e5).Unavailability.Should().Be(steady.Unavailability);
        AvailabilityRatio.Interval(100, 1, 0).Should().Be(AvailabilityRatio.Always);
        (AvailabilityRatio.Interval(100, 1, 1e9).Unavailability / steady.Unavailability).Should().BeApproximately(1, 1e-8);
    }
}
