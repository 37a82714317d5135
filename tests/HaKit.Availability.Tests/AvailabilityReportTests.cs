namespace HaKit.Availability.Tests;

public sealed class AvailabilityReportTests
{
    [Fact]
    public void A_report_tells_observed_predicted_and_delivered_apart()
    {
        var (a, b) = (new UptimeHistory(TimeSpan.Zero), new UptimeHistory(TimeSpan.Zero));
        Down(a, 100, 110);
        Down(a, 300, 310);
        Down(b, 105, 115);
        Down(b, 500, 510);
        var calls = new OutcomeCounters();
        for (var i = 0; i < 10_000; i++)
            calls.Record(H(999), i >= 4);

        var report = AvailabilityReport.Create(H(1000), [new("a", a), new("b", b)], calls);

        report.Observed!.Value.Unavailability.Should().BeApproximately(0.005, 1e-15, "both were down for five hours");
        report.PredictedIfIndependent!.Value.Unavailability.Should().BeApproximately(0.02 * 0.02, 1e-15);
        report.Predicted!.Value.Unavailability.Should().BeApproximately(0.005, 1e-12, "two equal endpoints determine their own beta");
        report.Joint.Beta.Should().BeApproximately((0.005 - 0.0004) / (1 - 0.04 + 0.005) / 0.02, 1e-12);
        report.Calls.Should().Be(new OutcomeCount(9996, 4));
        report.Delivered!.Value.Unavailability.Should().BeApproximately(4e-4, 1e-18);
        report.DeliveredBounds.Should().Be(Estimate.ClopperPearson(9996, 10_000));
        report.ErrorBudgetLeft.Should().BeApproximately(0.6, 1e-12);
        report.Endpoints.Select(e => e.Name).Should().Equal("a", "b");
        report.Endpoints[0].Mttr.Should().Be(H(10));
        report.Endpoints[0].Mttf.Should().Be(H(490));
        report.Endpoints[0].Bounds.Lower.Should().BeLessThan(report.Endpoints[0].Observed!.Value);
        report.Endpoints[0].MttfBounds!.Value.Lower.Should().BeLessThan(H(490));
        report.Endpoints[0].Calls.Should().BeNull();
        report.Alerts.Should().HaveCount(3).And.NotContain(s => s.Firing);
    }

    [Fact]
    public void A_report_before_anything_happened_claims_nothing()
    {
        var report = AvailabilityReport.Create(TimeSpan.Zero, [new("a", new UptimeHistory(TimeSpan.Zero), new OutcomeCounters())], new OutcomeCounters());
        report.Observed.Should().BeNull();
        report.Predicted.Should().BeNull();
        report.Delivered.Should().BeNull();
        report.DeliveredBounds.Should().BeNull();
        report.ErrorBudgetLeft.Should().Be(1);
        report.Joint.Beta.Should().BeNull();
        report.Endpoints[0].Delivered.Should().BeNull();
        report.Endpoints[0].Bounds.Lower.Should().Be(AvailabilityRatio.Never);
    }

    [Fact]
    public void Counters_that_do_not_reach_back_for_an_alert_leave_it_out()
    {
        var report = AvailabilityReport.Create(H(1), [new("a", new UptimeHistory(TimeSpan.Zero))], new OutcomeCounters(H(8)));
        report.Alerts.Select(s => s.Alert.Name).Should().Equal("fast", "slow");
    }

    [Fact]
    public void The_budget_is_overspent_below_zero()
    {
        var calls = new OutcomeCounters();
        for (var i = 0; i < 100; i++)
            calls.Record(H(1), i % 2 == 0);
        var report = AvailabilityReport.Create(H(1), [new("a", new UptimeHistory(TimeSpan.Zero))], calls, new Slo(AvailabilityRatio.From(0.9m), TimeSpan.FromDays(1)));
        report.ErrorBudgetLeft.Should().BeApproximately(-4, 1e-12);
    }

    private static void Down(UptimeHistory history, int from, int to)
    {
        history.Record(H(from), up: false);
        history.Record(H(to), up: true);
    }

    private static TimeSpan H(double hours) => TimeSpan.FromHours(hours);
}
