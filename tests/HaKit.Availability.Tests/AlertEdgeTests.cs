namespace HaKit.Availability.Tests;

/// <summary>Tests monitors, reports, sequential tests and plans at the values where a decision changes.</summary>
public sealed class AlertEdgeTests
{
    private static readonly AvailabilityRatio Nine = AvailabilityRatio.From(0.9m);
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    [Fact]
    public void A_monitor_tells_of_all_alerts_that_change_at_once()
    {
        var counters = new OutcomeCounters();
        for (var i = 0; i < 10; i++)
            counters.Record(Hour, success: false);
        BurnRateAlert[] alerts = [new("first", 2, Hour, Hour), new("never", 9.5, Hour, Hour) { MinimumFailures = 11 }, new("second", 3, Hour, Hour)];
        var monitor = new BurnRateMonitor(new Slo(Nine, 30 * Hour), counters, alerts);
        monitor.Evaluate(Hour).Select(status => status.Alert.Name).Should().Equal("first", "second");
        monitor.Evaluate(Hour).Should().BeEmpty();
        monitor.Evaluate(3 * Hour).Select(status => (status.Alert.Name, status.Firing)).Should().Equal(("first", false), ("second", false));
    }

    [Fact]
    public void A_report_shows_the_alerts_that_it_was_given_and_everything_about_its_endpoints()
    {
        var history = new UptimeHistory(TimeSpan.Zero);
        history.Record(2 * Hour, up: false);
        history.Record(3 * Hour, up: true);
        var own = new OutcomeCounters();
        own.Record(4 * Hour, success: true);
        own.Record(4 * Hour, success: false);
        BurnRateAlert[] alerts = [new("mine", 2, Hour, Hour)];
        var report = AvailabilityReport.Create(5 * Hour, [new("a", history, own), new("b", history)], new OutcomeCounters(), new Slo(Nine, 30 * Hour), confidence: 0.9, alerts: alerts);

        report.Alerts.Select(status => status.Alert.Name).Should().Equal("mine");
        var (summary, endpoint) = (history.Summarize(5 * Hour), report.Endpoints[0]);
        endpoint.Bounds.Should().Be(summary.Bounds(0.9));
        endpoint.MttfBounds.Should().Be(summary.MttfBounds(0.9)).And.NotBeNull();
        endpoint.MttrBounds.Should().Be(summary.MttrBounds(0.9)).And.NotBeNull();
        (endpoint.Mttf, endpoint.Mttr).Should().Be((4 * Hour, Hour));
        endpoint.Calls.Should().Be(new OutcomeCount(1, 1));
        endpoint.Delivered.Should().Be(AvailabilityRatio.From(0.5m));
        (report.Endpoints[1].Calls, report.Endpoints[1].Delivered).Should().Be((null, null));
    }

    [Fact]
    public void A_report_evaluates_an_alert_whose_window_is_exactly_what_the_counters_cover()
    {
        var history = new UptimeHistory(TimeSpan.Zero);
        IEnumerable<string> Names(TimeSpan horizon) => AvailabilityReport.Create(Hour, [new("a", history)], new OutcomeCounters(horizon)).Alerts.Select(status => status.Alert.Name);
        Names(TimeSpan.FromDays(3)).Should().Equal("fast", "slow", "creeping");
        Names(TimeSpan.FromDays(3) - TimeSpan.FromSeconds(1)).Should().Equal("fast", "slow");
    }

    [Fact]
    public void A_report_without_endpoints_tells_of_calls_and_refuses_more_than_one_required()
    {
        var calls = new OutcomeCounters();
        calls.Record(Hour, success: true);
        var report = AvailabilityReport.Create(Hour, [], calls);
        (report.Calls, report.Delivered).Should().Be((new OutcomeCount(1, 0), AvailabilityRatio.Always));
        (report.Observed, report.Predicted, report.PredictedIfIndependent).Should().Be((null, null, null));
        (report.Joint.Observed, report.Joint.AllDown, report.Joint.Beta).Should().Be((TimeSpan.Zero, TimeSpan.Zero, null));
        report.Endpoints.Should().BeEmpty();
        foreach (var required in (int[])[0, 2])
            FluentActions.Invoking(() => AvailabilityReport.Create(Hour, [], calls, required: required)).Should().ThrowExactly<ArgumentOutOfRangeException>().Which.ParamName.Should().Be("required");
        FluentActions.Invoking(() => AvailabilityReport.Create(Hour, [], new OutcomeCounters(), confidence: 1)).Should().ThrowExactly<ArgumentOutOfRangeException>().Which.ParamName.Should().Be("confidence");
        AvailabilityReport.Create(Hour, [new("a", new UptimeHistory(TimeSpan.Zero)), new("b", new UptimeHistory(TimeSpan.Zero))], calls, required: 2).Observed.Should().Be(AvailabilityRatio.Always);
    }

    [Fact]
    public void A_sequential_test_decides_at_its_bounds_and_not_only_beyond()
    {
        // One failure adds ln(0.5/0.25) = ln 2, and the upper bound is ln(0.5/0.25).
        var test = new Sprt(0.25, 0.5, alpha: 0.25, beta: 0.5);
        test.UpperBound.Should().Be(test.Step(success: false));
        test.Observe(success: false).Should().Be(SprtVerdict.Bad);
        new Sprt(0.1, 0.3, alpha: 0.1, beta: 0.2).LowerBound.Should().BeApproximately(Math.Log(0.2 / 0.9), 1e-15);
        new Sprt(0.1, 0.3, alpha: 0.1, beta: 0.2).UpperBound.Should().BeApproximately(Math.Log(0.8 / 0.1), 1e-15);
    }

    [Fact]
    public void Two_nines_of_one_nine_each_are_two_endpoints()
    {
        Planner.EndpointsFor(Nine, AvailabilityRatio.From(0.99m)).Value.Should().Be(2, "0.1 · 0.1 is rounded up, and that is no third endpoint");
        Planner.EndpointsFor(Nine, AvailabilityRatio.From(0.999m)).Value.Should().Be(3);
    }

    [Fact]
    public void Only_endpoints_that_never_fail_reach_all_of_the_time()
    {
        var answer = Planner.EndpointsFor(Nine, AvailabilityRatio.Always);
        (answer.Value, answer.Reached).Should().Be((null, AvailabilityRatio.Always));
        Planner.EndpointsFor(AvailabilityRatio.Always, AvailabilityRatio.Always, required: 3).Value.Should().Be(3);
    }

    [Theory]
    [InlineData("small", "large", "dear")]
    [InlineData("large", "small", "dear")]
    [InlineData("dear", "small", "large")]
    [InlineData("dear", "large", "small")]
    public void The_cheapest_plan_is_the_one_with_the_largest_gain_for_the_least_cost_in_any_order(string first, string second, string third)
    {
        static PlanChange To(string name, double cost, decimal availability) =>
            new(name, cost, design => design with { Endpoints = [.. design.Endpoints.Select(endpoint => endpoint with { Availability = AvailabilityRatio.From(availability) })] });
        var changes = new Dictionary<string, PlanChange> { ["small"] = To("small", 1, 0.99m), ["large"] = To("large", 1, 0.999m), ["dear"] = To("dear", 2, 0.9999m) };
        var design = new PoolDesign { Endpoints = [new("a", Nine), new("b", Nine)] };
        var plan = Planner.Cheapest(design, AvailabilityRatio.From(0.9995m), [changes[first], changes[second], changes[third]]);
        plan.Way!.Changes.Select(change => change.Name).Should().Equal("large");
        plan.Limit.Should().Be(changes["dear"].Apply(design).Evaluate().Availability);
    }

    [Fact]
    public void Sixteen_changes_are_tried()
    {
        var design = new PoolDesign { Endpoints = [new("a", Nine)] };
        PlanChange[] changes = [.. Enumerable.Range(0, 16).Select(i => new PlanChange($"{i}", 1, _ => throw new NotSupportedException("tried")))];
        FluentActions.Invoking(() => Planner.Cheapest(design, Nine, changes)).Should().ThrowExactly<NotSupportedException>().WithMessage("tried");
    }
}
