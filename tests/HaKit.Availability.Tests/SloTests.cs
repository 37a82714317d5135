namespace HaKit.Availability.Tests;

public sealed class SloTests
{
    private static readonly Slo Three = Slo.Default;

    [Fact]
    public void Standard_alerts_are_the_workbooks()
    {
        var alerts = BurnRateAlert.Standard(Three);
        alerts.Select(a => a.Threshold).Should().Equal([14.4, 6, 1], (x, y) => Math.Abs(x - y) < 1e-12);
        alerts.Select(a => a.ShortWindow).Should().Equal(TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(30), TimeSpan.FromHours(6));
    }

    [Fact]
    public void An_alert_that_can_never_fire_is_refused_with_the_reason()
    {
        var slack = new Slo(AvailabilityRatio.From(0.9m), TimeSpan.FromDays(30));
        var alert = new BurnRateAlert("fast", 14.4, TimeSpan.FromHours(1), TimeSpan.FromMinutes(5));
        alert.CanFire(slack).Should().BeFalse();
        FluentActions.Invoking(() => new BurnRateMonitor(slack, new OutcomeCounters(), [alert]))
            .Should().Throw<ArgumentException>().WithMessage("*'fast' can never fire*is 10, *14.4*");
        BurnRateAlert.Standard(slack).Should().NotContain(a => a.Threshold > 10).And.NotBeEmpty();
    }

    [Fact]
    public void An_alert_that_looks_back_further_than_the_counters_is_refused() =>
        FluentActions.Invoking(() => new BurnRateMonitor(Three, new OutcomeCounters(TimeSpan.FromHours(2))))
            .Should().Throw<ArgumentException>().WithMessage("*'slow' has a window*");

    [Theory]
    [InlineData(1.0)]
    [InlineData(0.15)]
    public void A_live_alert_fires_when_the_formula_says_and_resets_when_it_says(double errors)
    {
        Effort.SkipUnlessFull();
        // 20 calls a second: two hours of good calls, then an error. The result is exact to within a bucket.
        var counters = new OutcomeCounters();
        var alert = new BurnRateAlert("fast", 14.4, TimeSpan.FromHours(1), TimeSpan.FromMinutes(5));
        var monitor = new BurnRateMonitor(Three, counters, [alert]);
        var start = 3600 * 2;
        double? fired = null, stopped = null;
        for (var second = 0; second < start + 2400; second++)
        {
            var now = TimeSpan.FromSeconds(second);
            var failing = second >= start && second < start + 1800;
            for (var call = 0; call < 20; call++)
                counters.Record(now, !failing || call >= errors * 20);
            foreach (var change in second < start - 600 ? [] : monitor.Evaluate(now))
            {
                if (change.Firing)
                    fired ??= second - start;
                else
                    stopped ??= second - (start + 1800);
            }
        }

        var long1 = BurnRate.DetectionTime(Three.Target, errors, alert.LongWindow, alert.Threshold)!.Value.TotalSeconds;
        var reset = BurnRate.ResetTime(Three.Target, errors, alert.ShortWindow, alert.Threshold)!.Value.TotalSeconds;
        fired.Should().BeApproximately(long1, 11);
        stopped.Should().BeApproximately(reset, 11);
    }

    [Fact]
    public void A_single_failure_in_little_traffic_does_not_page()
    {
        var counters = new OutcomeCounters();
        for (var minute = 0; minute < 40; minute++)
            counters.Record(TimeSpan.FromMinutes(minute), minute != 39);
        var alert = BurnRateAlert.Standard(Three)[0];
        var status = alert.Evaluate(Three, counters, TimeSpan.FromMinutes(39));
        status.LongBurn.Should().BeGreaterThan(alert.Threshold);
        status.Firing.Should().BeFalse("one failure is below the guard");
        (alert with { MinimumFailures = 1 }).Evaluate(Three, counters, TimeSpan.FromMinutes(39)).Firing.Should().BeTrue();
    }

    [Fact]
    public void An_error_that_has_passed_does_not_fire_however_much_it_burnt()
    {
        var counters = new OutcomeCounters();
        for (var i = 0; i < 1000; i++)
            counters.Record(TimeSpan.FromMinutes(1), false);
        for (var i = 0; i < 1000; i++)
            counters.Record(TimeSpan.FromMinutes(30), true);
        var status = BurnRateAlert.Standard(Three)[0].Evaluate(Three, counters, TimeSpan.FromMinutes(30));
        status.LongBurn.Should().BeApproximately(500, 1e-9);
        status.ShortBurn.Should().Be(0);
        status.Firing.Should().BeFalse();
    }

    [Fact]
    public void Nothing_changed_is_nothing_allocated()
    {
        var monitor = new BurnRateMonitor(Three, new OutcomeCounters());
        monitor.Evaluate(TimeSpan.Zero);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
            monitor.Evaluate(TimeSpan.FromSeconds(i));
        (GC.GetAllocatedBytesForCurrentThread() - before).Should().Be(0);
        monitor.Statuses.Should().HaveCount(3);
    }

    [Fact]
    public void A_burn_rate_at_the_threshold_fires_and_one_below_does_not()
    {
        var slo = new Slo(AvailabilityRatio.From(0.99m), TimeSpan.FromDays(30));
        var alert = new BurnRateAlert("a", 10, TimeSpan.FromHours(1), TimeSpan.FromMinutes(5));
        Firing(failures: 10).Should().BeTrue();
        Firing(failures: 9).Should().BeFalse();
        (alert with { MinimumFailures = 10 }).MinimumFailures.Should().Be(10);

        bool Firing(int failures)
        {
            var counters = new OutcomeCounters();
            for (var i = 0; i < 100; i++)
                counters.Record(TimeSpan.FromMinutes(1), i >= failures);
            var status = alert.Evaluate(slo, counters, TimeSpan.FromMinutes(2));
            (status.LongBurn, status.ShortBurn).Should().Be((failures, failures));
            status.Failures.Should().Be(failures);
            (alert with { MinimumFailures = failures + 1 }).Evaluate(slo, counters, TimeSpan.FromMinutes(2)).Firing.Should().BeFalse("it wants one more failure");
            return status.Firing;
        }
    }

    [Fact]
    public void An_alert_may_need_the_whole_of_a_total_outage_but_no_more()
    {
        var slo = new Slo(AvailabilityRatio.From(0.9m), TimeSpan.FromHours(6));
        new BurnRateAlert("a", 10, TimeSpan.FromHours(1), TimeSpan.FromHours(1)).CanFire(slo).Should().BeTrue();
        new BurnRateAlert("a", 10.01, TimeSpan.FromHours(1), TimeSpan.FromHours(1)).CanFire(slo).Should().BeFalse();
        BurnRateAlert.Standard(slo).Select(a => a.Name).Should().Equal(["fast", "slow"], "a window of three days is longer than the period");
        FluentActions.Invoking(() => new BurnRateMonitor(slo, new OutcomeCounters(TimeSpan.FromHours(6)))).Should().NotThrow("they reach back just far enough");
    }

    [Fact]
    public void A_monitor_tells_of_changes_only()
    {
        var slo = new Slo(AvailabilityRatio.From(0.9m), TimeSpan.FromDays(30));
        var counters = new OutcomeCounters();
        var monitor = new BurnRateMonitor(slo, counters, [new("never", 10, TimeSpan.FromHours(1), TimeSpan.FromMinutes(5)), new("soon", 2, TimeSpan.FromHours(1), TimeSpan.FromMinutes(5))]);
        monitor.Evaluate(TimeSpan.Zero).Should().BeEmpty();
        for (var i = 0; i < 100; i++)
            counters.Record(TimeSpan.FromMinutes(1), i >= 50);
        monitor.Evaluate(TimeSpan.FromMinutes(1)).Should().ContainSingle().Which.Should().Match<BurnRateStatus>(s => s.Alert.Name == "soon" && s.Firing);
        monitor.Evaluate(TimeSpan.FromMinutes(2)).Should().BeEmpty();
        monitor.Statuses.Select(s => s.Firing).Should().Equal(false, true);
        monitor.Evaluate(TimeSpan.FromMinutes(10)).Should().ContainSingle().Which.Firing.Should().BeFalse("nothing failed in the last five minutes");
    }

    [Fact]
    public void Detection_takes_the_whole_window_at_the_threshold_and_is_never_slower()
    {
        var target = AvailabilityRatio.From(0.99m);
        BurnRate.DetectionTime(target, 0.1, TimeSpan.FromHours(1), 10).Should().BeCloseTo(TimeSpan.FromHours(1), TimeSpan.FromTicks(10));
        BurnRate.DetectionTime(target, 0.0999, TimeSpan.FromHours(1), 10).Should().BeNull();
        BurnRate.ResetTime(target, 0.0999, TimeSpan.FromHours(1), 10).Should().BeNull();
        BurnRate.ResetTime(target, 1, TimeSpan.FromHours(1), 10).Should().BeCloseTo(TimeSpan.FromMinutes(54), TimeSpan.FromTicks(10));
        BurnRate.FromErrorRatio(target, 0).Should().Be(0);
        Three.AllowedFailures(0).Should().Be(0);
        Three.AllowedFailures(1999).Should().Be(1);
        Three.AllowedOutages(TimeSpan.FromMinutes(43.2)).Should().Be(1);
        Three.AllowedOutages(TimeSpan.FromMinutes(43.3)).Should().Be(0);
    }

    [Fact]
    public void Budget_is_spent_by_failures_and_by_time_alike()
    {
        Three.Consumed(1, 1000).Should().BeApproximately(1, 1e-15);
        Three.Consumed(0, 0).Should().Be(0);
        Three.Consumed(Three.AllowedDowntime).Should().BeApproximately(1, 1e-12);
        Three.AllowedDowntime.Should().Be(TimeSpan.FromMinutes(43.2));
        Three.ResidualBudget(AvailabilityRatio.From(0.999m), AvailabilityRatio.From(0.999m)).Should().BeLessThan(TimeSpan.Zero);
    }
}
