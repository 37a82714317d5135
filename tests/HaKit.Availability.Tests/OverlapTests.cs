namespace HaKit.Availability.Tests;

/// <summary>Tests joint downtimes, histories and survival curves with numbers that can be checked on paper.</summary>
public sealed class OverlapTests
{
    [Fact]
    public void Correlation_and_beta_of_a_partial_overlap_are_those_of_the_formulas()
    {
        // From 100 h to 140 h: Q₁ = 10/40, Q₂ = 20/40, both down for 8/40.
        var joint = JointDowntime.Measure([History(100, 140, (110, 120)), History(100, 140, (112, 132))]);
        joint.Observed.Should().Be(Hours(40));
        joint.AllDown.Should().Be(Hours(8));
        joint.Correlation.Should().BeApproximately((0.2 - 0.125) / Math.Sqrt(0.25 * 0.75 * 0.5 * 0.5), 1e-14);
        joint.Beta.Should().BeApproximately((0.2 - 0.125) / (1 - 0.25 - 0.5 + 0.2) / 0.25, 1e-14);
    }

    [Fact]
    public void Outages_before_and_after_the_compared_time_do_not_count()
    {
        var longer = History(0, 200, (10, 20), (110, 115), (150, 160));
        var joint = JointDowntime.Measure([longer, History(100, 140, (113, 118))], required: 2);
        joint.Observed.Should().Be(Hours(40));
        joint.AllDown.Should().Be(Hours(2));
        joint.TooFewUp.Should().Be(Hours(8));
    }

    [Fact]
    public void An_endpoint_that_was_never_down_has_no_correlation_with_another()
    {
        var (first, second, never) = (History(0, 40, (0, 10)), History(0, 40, (5, 25)), History(0, 40));
        JointDowntime.Measure([first, never]).Correlation.Should().BeNull();
        JointDowntime.Measure([never, first]).Beta.Should().BeNull();
        var (pair, three) = (JointDowntime.Measure([first, second]), JointDowntime.Measure([first, never, second]));
        (three.Correlation, three.Beta).Should().Be((pair.Correlation, pair.Beta));
        three.Correlation.Should().BeApproximately((0.125 - 0.125) / Math.Sqrt(0.25 * 0.75 * 0.5 * 0.5), 1e-14);
    }

    [Theory]
    [InlineData(0, 1, 2)]
    [InlineData(1, 2, 0)]
    [InlineData(2, 0, 1)]
    public void An_endpoint_that_is_always_down_counts_for_beta_and_not_for_the_correlation(int always, int half, int quarter)
    {
        // Pairs: always and half share min Q = 1/2, always and quarter share 1/4; half and quarter never meet: −(1/8)/(1 − 3/4) = −1/2.
        var histories = new UptimeSummary[3];
        histories[always] = History(0, 40, (0, 40));
        histories[half] = History(0, 40, (0, 20));
        histories[quarter] = History(0, 40, (20, 30));
        var joint = JointDowntime.Measure(histories);
        joint.Beta.Should().BeApproximately((0.5 + 0.25 - 0.5) / (0.5 + 0.25 + 0.25), 1e-14);
        joint.Correlation.Should().BeApproximately(-0.125 / Math.Sqrt(0.5 * 0.5 * 0.25 * 0.75), 1e-14);
    }

    [Fact]
    public void Many_outages_without_length_at_the_same_time_end()
    {
        UptimeSummary[] histories = [.. Enumerable.Range(0, 40).Select(_ => History(0, 40, (5, 5), (5, 5)))];
        histories[^1] = History(0, 40, (5, 5), (20, 30));
        var joint = JointDowntime.Measure(histories, required: 40);
        (joint.AllDown, joint.TooFewUp).Should().Be((TimeSpan.Zero, Hours(10)));
    }

    [Fact]
    public void Without_a_common_time_there_is_nothing_to_compare()
    {
        var joint = JointDowntime.Measure([History(10, 10), History(10, 10)]);
        (joint.Observed, joint.AllDown, joint.Correlation, joint.Beta).Should().Be((TimeSpan.Zero, TimeSpan.Zero, (double?)null, (double?)null));
    }

    [Fact]
    public void A_history_knows_since_when_it_is_down()
    {
        var history = new UptimeHistory(Hours(1));
        history.DownSince.Should().BeNull();
        history.Record(Hours(3), up: false);
        history.DownSince.Should().Be(Hours(3));
        history.Record(Hours(4), up: true);
        history.DownSince.Should().BeNull();
    }

    [Fact]
    public void The_observed_share_and_the_bounds_are_those_of_the_totals()
    {
        var summary = History(0, 10, (1, 9));
        summary.Observed.Should().Be(AvailabilityRatio.FromDowntime(Hours(10), Hours(8)));
        var bounds = summary.MttrBounds(0.9)!.Value;
        var expected = Estimate.MtbfBounds(8, 1, 0.9);
        bounds.Lower.TotalHours.Should().BeApproximately(expected.Lower, 1e-9);
        bounds.Upper!.Value.TotalHours.Should().BeApproximately(expected.Upper, 1e-6);
        History(0, 10).MttfBounds()!.Value.Upper.Should().BeNull("no failure gives no upper limit");
    }

    [Fact]
    public void A_curve_that_falls_to_zero_is_found_at_zero()
    {
        new KaplanMeier([new Lifetime(1, true), new Lifetime(3, true)]).TimeAt(0).Should().Be(3);
        new KaplanMeier([new Lifetime(1, true), new Lifetime(3, false)]).TimeAt(0).Should().BeNull();
    }

    private static TimeSpan Hours(double hours) => TimeSpan.FromHours(hours);

    private static UptimeSummary History(double start, double end, params (double Down, double Up)[] outages)
    {
        var history = new UptimeHistory(Hours(start));
        foreach (var (down, up) in outages)
        {
            history.Record(Hours(down), up: false);
            if (up < end)
                history.Record(Hours(up), up: true);
        }

        return history.Summarize(Hours(end));
    }
}
