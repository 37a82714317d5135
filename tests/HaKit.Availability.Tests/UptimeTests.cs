namespace HaKit.Availability.Tests;

public sealed class UptimeTests
{
    [Fact]
    public void Totals_count_the_current_interval_as_cut_off()
    {
        var history = new UptimeHistory(H(10));
        history.Record(H(110), up: false);
        history.Record(H(112), up: true);
        history.Record(H(112), up: true);

        var summary = history.Summarize(H(150));

        summary.Uptime.Should().Be(H(138));
        summary.Downtime.Should().Be(H(2));
        (summary.Failures, summary.Repairs).Should().Be((1, 1));
        summary.Mttf.Should().Be(H(138), "one failure in 138 hours up");
        summary.Mttr.Should().Be(H(2));
        summary.Observed!.Value.Unavailability.Should().BeApproximately(2 / 140.0, 1e-15);
        summary.Uptimes.Should().Equal(new Lifetime(360_000, true), new Lifetime(136_800, false));
        summary.Outages.Should().Equal(new Outage(H(110), H(112)));
        (summary.IsUp, summary.Since, summary.Now).Should().Be((true, H(112), H(150)));
    }

    [Fact]
    public void An_outage_that_goes_on_counts_as_time_down_and_not_as_a_repair()
    {
        var history = new UptimeHistory(H(0));
        history.Record(H(100), up: false);
        var summary = history.Summarize(H(103));
        summary.Downtime.Should().Be(H(3));
        summary.Repairs.Should().Be(0);
        summary.Mttr.Should().BeNull();
        summary.MttrBounds()!.Value.Upper.Should().BeNull("it may last for ever");
        summary.MttrBounds()!.Value.Lower.Should().BePositive();
        summary.Outages.Should().Equal(new Outage(H(100), H(103)));
    }

    [Fact]
    public void Without_a_failure_there_is_a_lower_bound_only()
    {
        var summary = new UptimeHistory(H(0)).Summarize(H(1000));
        summary.Mttf.Should().BeNull();
        var bounds = summary.MttfBounds(0.9)!.Value;
        bounds.Lower.TotalHours.Should().BeApproximately(333.808, 0.001);
        bounds.Upper.Should().BeNull();
        new UptimeHistory(H(0)).Summarize(H(0)).Observed.Should().BeNull();
    }

    [Fact]
    public void A_clock_that_runs_back_lengthens_nothing()
    {
        var history = new UptimeHistory(H(10));
        history.Record(H(20), up: false);
        history.Record(H(15), up: true);
        var summary = history.Summarize(H(5));
        summary.Uptime.Should().Be(H(10));
        summary.Downtime.Should().Be(TimeSpan.Zero);
        summary.Now.Should().Be(H(20));
    }

    [Fact]
    public void Old_outages_are_forgotten_one_by_one_but_stay_in_the_totals()
    {
        var history = new UptimeHistory(H(0), capacity: 2);
        for (var i = 1; i <= 5; i++)
        {
            history.Record(H(10 * i), up: false);
            history.Record(H(10 * i + 1), up: true);
        }

        var summary = history.Summarize(H(60));
        summary.Outages.Should().Equal(new Outage(H(40), H(41)), new Outage(H(50), H(51)));
        summary.Remembered.Should().Be(H(31));
        summary.Downtime.Should().Be(H(5));
        summary.Failures.Should().Be(5);
    }

    [Fact]
    public void Joint_downtime_is_the_overlap()
    {
        var joint = JointDowntime.Measure([Down((10, 20), (50, 60)), Down((15, 25), (70, 80))]);
        joint.Observed.Should().Be(H(100));
        joint.AllDown.Should().Be(H(5));
        joint.TooFewUp.Should().Be(H(5));
        JointDowntime.Measure([Down((10, 20), (50, 60)), Down((15, 25), (70, 80))], required: 2).TooFewUp.Should().Be(H(35));
        // c = (J − Q₁Q₂)/(1 − Q₁ − Q₂ + J), β = c/min Q
        joint.Beta.Should().BeApproximately((0.05 - 0.04) / 0.65 / 0.2, 1e-12);
        joint.Correlation.Should().BeApproximately((0.05 - 0.04) / 0.16, 1e-12);
    }

    [Fact]
    public void Endpoints_that_always_fall_together_have_beta_one_and_those_that_never_do_zero()
    {
        JointDowntime.Measure([Down((10, 20)), Down((10, 20))]).Beta.Should().BeApproximately(1, 1e-12);
        JointDowntime.Measure([Down((10, 20)), Down((30, 40))]).Beta.Should().Be(0);
        JointDowntime.Measure([Down((10, 20)), Down((30, 40))]).Correlation.Should().BeNegative();
        JointDowntime.Measure([Down((10, 20)), Down()]).Beta.Should().BeNull("only one was ever down");
        JointDowntime.Measure([Down((10, 10)), Down((20, 30))]).AllDown.Should().Be(TimeSpan.Zero);
    }

    [Fact]
    public void Three_endpoints_are_compared_by_their_pairs()
    {
        var joint = JointDowntime.Measure([Down((10, 20)), Down((10, 20)), Down((50, 60))], required: 2);
        joint.AllDown.Should().Be(TimeSpan.Zero);
        joint.TooFewUp.Should().Be(H(10));
        // Of the three pairs one falls together (J = 0.1) and two never do.
        joint.Beta.Should().BeApproximately((0.1 - 2 * 0.01 / 0.8) / 0.3, 1e-12);
        joint.Correlation.Should().BeApproximately((0.09 / 0.09 - 2 * 0.01 / 0.09) / 3, 1e-12);
    }

    [Fact]
    public void Outages_are_cut_to_the_time_that_is_compared()
    {
        var late = new UptimeHistory(H(15));
        var joint = JointDowntime.Measure([Down((10, 20), (95, 200)), late.Summarize(H(100))], required: 2);
        joint.Observed.Should().Be(H(85));
        joint.TooFewUp.Should().Be(H(5) + H(5));
        JointDowntime.Measure([Down(), new UptimeHistory(H(100)).Summarize(H(100))]).Observed.Should().Be(TimeSpan.Zero);
        JointDowntime.Measure([Down(), new UptimeHistory(H(100)).Summarize(H(100))]).Beta.Should().BeNull();
    }

    [Fact]
    public void Endpoints_that_are_always_down_together_are_one()
    {
        var joint = JointDowntime.Measure([Down((0, 100)), Down((0, 100))]);
        joint.Beta.Should().Be(1);
        joint.Correlation.Should().BeNull("what never changes has none");
        joint.AllDown.Should().Be(H(100));
    }

    [Fact]
    public void Up_times_are_forgotten_one_by_one_like_outages()
    {
        var history = new UptimeHistory(H(0), up: false, capacity: 2);
        history.Record(H(4), up: true);
        for (var i = 1; i <= 3; i++)
        {
            history.Record(H(10 * i), up: false);
            history.Record(H(10 * i + 1), up: true);
        }

        var summary = history.Summarize(H(40));
        summary.Uptimes.Should().Equal(new Lifetime(H(9).TotalSeconds, true), new Lifetime(H(9).TotalSeconds, true), new Lifetime(H(9).TotalSeconds, false));
        summary.Start.Should().Be(H(0));
        (summary.Failures, summary.Repairs).Should().Be((3, 4));
        summary.Uptime.Should().Be(H(6 + 9 + 9 + 9));
        summary.Downtime.Should().Be(H(4 + 3));
        summary.Outages[0].Duration.Should().Be(H(1));
        summary.Mttf.Should().Be(H(11));
        new UptimeHistory(H(0), up: false).Summarize(H(5)).Should().Match<UptimeSummary>(s => !s.IsUp && s.Downtime == H(5) && s.Uptime == TimeSpan.Zero && s.MttfBounds(0.95) == null);
    }

    [Fact]
    public void Only_the_time_that_all_remember_is_compared()
    {
        var late = new UptimeHistory(H(15));
        late.Record(H(18), up: false);
        late.Record(H(30), up: true);
        var joint = JointDowntime.Measure([Down((10, 20)), late.Summarize(H(100))]);
        joint.Observed.Should().Be(H(85));
        joint.AllDown.Should().Be(H(2));
    }

    [Fact]
    public void Outages_that_were_forgotten_are_not_taken_for_time_up()
    {
        var forgetful = new UptimeHistory(H(0), capacity: 1);
        foreach (var hour in (int[])[10, 50])
        {
            forgetful.Record(H(hour), up: false);
            forgetful.Record(H(hour + 10), up: true);
        }

        var joint = JointDowntime.Measure([forgetful.Summarize(H(100)), Down((10, 20), (55, 60))]);
        joint.Observed.Should().Be(H(80), "nothing is known one by one before hour 20");
        joint.AllDown.Should().Be(H(5));
    }

    [Theory]
    [InlineData(0.0)]
    [InlineData(0.2)]
    [InlineData(0.7)]
    public void Beta_is_found_again_in_simulated_endpoints(double beta)
    {
        Effort.SkipUnlessFull();
        // Slots of one hour: a shared cause with c = β·Q, and each endpoint's own.
        const double q = 0.05;
        const int slots = 400_000;
        var (c, own) = (beta * q, q * (1 - beta) / (1 - beta * q));
        var random = new Random(17);
        UptimeHistory[] histories = [.. Enumerable.Range(0, 3).Select(_ => new UptimeHistory(H(0), capacity: slots))];
        for (var slot = 0; slot < slots; slot++)
        {
            var cause = random.NextDouble() < c;
            foreach (var history in histories)
                history.Record(H(slot), !(cause | random.NextDouble() < own));
        }

        var joint = JointDowntime.Measure([.. histories.Select(h => h.Summarize(H(slots)))]);

        joint.Beta.Should().BeApproximately(beta, 0.015);
    }

    private static UptimeSummary Down(params (int From, int To)[] outages)
    {
        var history = new UptimeHistory(H(0));
        foreach (var (from, to) in outages)
        {
            history.Record(H(from), up: false);
            history.Record(H(to), up: true);
        }

        return history.Summarize(H(100));
    }

    private static TimeSpan H(double hours) => TimeSpan.FromHours(hours);
}
