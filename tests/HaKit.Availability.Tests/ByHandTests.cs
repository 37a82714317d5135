namespace HaKit.Availability.Tests;

/// <summary>Tests numbers that can be checked on paper.</summary>
public sealed class ByHandTests
{
    private const double Exactly = 1e-14;
    private static readonly AvailabilityRatio Nine = AvailabilityRatio.From(0.9m);

    private static TimeSpan S(double seconds) => TimeSpan.FromSeconds(seconds);

    [Fact]
    public void Backups()
    {
        Backup.MeanDataLoss(S(7200), S(1800)).Should().Be(S(5400));
        var mean = Backup.MeanRestoreSuccess(2, Nine);
        mean.Value.Should().BeApproximately((0.9 + 0.81) / 2, Exactly);
        mean.Unavailability.Should().BeApproximately((0.1 + 0.19) / 2, Exactly);
    }

    [Fact]
    public void Capacities()
    {
        Capacity.Mean(4, 10, Nine).Should().BeApproximately(36, 1e-12);
        Capacity.AfterLoss(4, 1, 10).Should().Be(30);
        Capacity.InstancesFor(2, AvailabilityRatio.Always, AvailabilityRatio.Always).Should().Be(2);
        Capacity.InstancesFor(3, Nine, AvailabilityRatio.From(0.7m)).Should().Be(3, "0.9³ is 0.729");
        Capacity.InstancesFor(3, Nine, AvailabilityRatio.From(0.75m)).Should().Be(4);
    }

    [Fact]
    public void A_failover_takes_detection_and_decision_and_switch()
    {
        var parts = new FailoverModel { Detection = S(10), Decision = S(20), Switch = S(30) }.Availability();
        var whole = new FailoverModel { Detection = S(60) }.Availability();
        parts.Unavailability.Should().BeApproximately(whole.Unavailability, 1e-16);
        (parts.Value + parts.Unavailability).Should().BeApproximately(1, Exactly);
    }

    [Fact]
    public void Suspicion_counts_in_deviations() => Heartbeat.Phi(1000, 100, 1200).Should().BeApproximately(1.643, 0.0005);

    [Fact]
    public void Four_lifetimes_that_ended()
    {
        var curve = new KaplanMeier([.. Enumerable.Range(1, 4).Select(t => new Lifetime(t, true))]);
        curve.TimeAt(0.5).Should().Be(2);
        curve.TimeAt(0.74).Should().Be(2);
        // Greenwood: 0.5² · (1/(4·3) + 1/(3·2)) = 0.25².
        var bounds = curve.Bounds(2);
        bounds.Lower.Should().BeApproximately(0.5 - 1.959963985 * 0.25, 1e-9);
        bounds.Upper.Should().BeApproximately(0.5 + 1.959963985 * 0.25, 1e-9);
        (curve.Bounds(1).Upper, curve.Bounds(4).Lower, curve.Bounds(4).Upper).Should().Be((1, 0, 0));
    }

    [Fact]
    public void An_observation_that_ends_with_a_failure_knows_as_much_as_one_that_ends_before_it()
    {
        Estimate.MtbfLower(1000, 3, 0.9, ObservationEnd.Event).Should().Be(Estimate.MtbfLower(1000, 2, 0.9, ObservationEnd.Time));
        Estimate.MtbfBounds(1000, 3, 0.9, ObservationEnd.Event).Lower.Should().Be(Estimate.MtbfBounds(1000, 2, 0.9, ObservationEnd.Time).Lower);
    }

    [Theory]
    [InlineData(1000, 10, 4, 3)]
    [InlineData(3, 5, 2, 2)]
    public void What_bounds_uptime_from_above_bounds_downtime_from_below(double up, double down, long failures, long repairs)
    {
        var bounds = Estimate.AvailabilityBounds(up, down, failures, repairs);
        var mirror = Estimate.AvailabilityBounds(down, up, repairs, failures);
        bounds.Upper.Unavailability.Should().BeApproximately(mirror.Lower.Value, 1e-12);
        bounds.Lower.Value.Should().BeApproximately(mirror.Upper.Unavailability, 1e-12);
        bounds.Lower.Value.Should().BeLessThan(up / (up + down));
        bounds.Upper.Value.Should().BeGreaterThan(up / (up + down));
    }

    [Theory]
    [InlineData(0, 5)]
    [InlineData(5, 0)]
    public void Without_time_up_or_down_nothing_is_bounded(double up, double down)
    {
        var bounds = Estimate.AvailabilityBounds(up, down, 1, 1);
        (bounds.Lower, bounds.Upper).Should().Be((AvailabilityRatio.Never, AvailabilityRatio.Always));
    }

    [Fact]
    public void Two_equal_cycles_are_enough()
    {
        var (estimate, error) = Estimate.Renewal((5, 5), (5, 5));
        (estimate.Value, error).Should().Be((0.5, 0));
    }

    [Fact]
    public void Joint_downtime_is_a_share_of_what_all_saw_from_when_they_saw_it()
    {
        // Both histories are from 100 h to 140 h. Both endpoints are down in the second quarter of this time.
        var one = new UptimeHistory(TimeSpan.FromHours(100));
        one.Record(TimeSpan.FromHours(110), up: false);
        one.Record(TimeSpan.FromHours(120), up: true);
        var summary = one.Summarize(TimeSpan.FromHours(140));
        var joint = JointDowntime.Measure([summary, summary]);
        joint.Observed.Should().Be(TimeSpan.FromHours(40));
        joint.AllDown.Should().Be(TimeSpan.FromHours(10));
        joint.Correlation.Should().BeApproximately(1, 1e-12);
        joint.Beta.Should().BeApproximately(1, 1e-12);
    }
}
