namespace HaKit.Availability.Tests;

/// <summary>Tests the checks of arguments that another check further inside could hide: the exception is of the exact type and names the argument of the caller.</summary>
public sealed class ArgumentEdgeTests
{
    private static readonly AvailabilityRatio Nine = AvailabilityRatio.From(0.9m);
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);
    private static readonly PoolDesign Design = new() { Endpoints = [new("a", Nine), new("b", Nine)] };
    private static readonly Slo Half = new(AvailabilityRatio.From(0.5m), Hour);

    private static readonly (string Name, string Parameter, Action Call)[] OutOfRange =
    [
        ("EndpointsFor: required, with a target that no number reaches", "required", () => Planner.EndpointsFor(Nine, AvailabilityRatio.From(0.99m), 0, 1)),
        ("ErlangB: servers", "servers", () => Queueing.ErlangB(-1, 1)),
        ("WaitTail: time", "time", () => Queueing.WaitTail(1, 1, 2, -1)),
        ("ServersFor: load", "load", () => Queueing.ServersFor(10_000_001, 0.5)),
        ("StepsForFailureProbability: target", "target", () => Reliability.StepsForFailureProbability(0.5, 1)),
        ("SuccessWithCorrelation: beta", "beta", () => Retry.SuccessWithCorrelation(1, 0, 1)),
        ("SuccessWithCorrelation: attempts", "attempts", () => Retry.SuccessWithCorrelation(1, 1, 0)),
        ("ExpectedAmplification: layers", "layers", () => Retry.ExpectedAmplification(Nine, 1, 0)),
        ("TotalBackoff: attempts", "attempts", () => Retry.TotalBackoff(Hour, 2, 0)),
        ("RejectProbability: requests", "requests", () => Retry.RejectProbability(-1, 0)),
        ("HedgedTail: time", "time", () => Retry.HedgedTail(_ => 0.5, -Hour, Hour)),
        ("HedgedTail: shared cause", "sharedCause", () => Retry.HedgedTail(_ => 0.5, Hour, 2 * Hour, 1.1)),
        ("Consumed: calls", "calls", () => Slo.Default.Consumed(0, -1)),
        ("Sprt: good", "good", () => _ = new Sprt(0, 0.5)),
        ("Sprt: bad", "bad", () => _ = new Sprt(0.5, 1)),
        ("Sprt: alpha", "alpha", () => _ = new Sprt(0.1, 0.5, alpha: 0)),
        ("Sprt: beta", "beta", () => _ = new Sprt(0.1, 0.5, beta: 0)),
        ("MttfBounds before any time up", "confidence", () => new UptimeHistory(Hour, up: false).Summarize(Hour).MttfBounds(1)),
        ("ZeroFailureTrials: 0 %", "target", () => Estimate.ZeroFailureTrials(AvailabilityRatio.Never)),
        ("ZeroFailureTrials: 100 %", "target", () => Estimate.ZeroFailureTrials(AvailabilityRatio.Always)),
    ];

    private static readonly (string Name, string Parameter, Action Call)[] Missing =
    [
        ("Alert without counters", "outcomes", () => new BurnRateAlert("a", 1, Hour, Hour).Evaluate(Half, null!, Hour)),
        ("Alert without an objective", "slo", () => new BurnRateAlert("a", 1, Hour, Hour).Evaluate(null!, new OutcomeCounters(), Hour)),
        ("Monitor without an objective", "slo", () => _ = new BurnRateMonitor(null!, new OutcomeCounters(), [])),
        ("Monitor without counters", "outcomes", () => _ = new BurnRateMonitor(Half, null!, [])),
        ("DetectionFor", "design", () => Planner.DetectionFor(null!, Nine)),
        ("BetaFor", "design", () => Planner.BetaFor(null!, Nine)),
        ("WhatIf: design", "design", () => Planner.WhatIf(null!, [])),
        ("WhatIf: changes", "changes", () => Planner.WhatIf(Design, null!)),
        ("WhatIfByCost: design", "design", () => Planner.WhatIfByCost(null!, [])),
        ("Cheapest: design", "design", () => Planner.Cheapest(null!, Nine, [])),
        ("Cheapest: changes", "changes", () => Planner.Cheapest(Design, Nine, null!)),
        ("Change without a name", "name", () => _ = new PlanChange(null!, 1, d => d)),
        ("Change without an effect", "apply", () => _ = new PlanChange("a", 1, null!)),
        ("Endpoint without a name", "name", () => _ = new PlannedEndpoint(null!, Nine)),
        ("Design without endpoints", "value", () => _ = new PoolDesign { Endpoints = null! }),
        ("HedgedTail", "slower", () => Retry.HedgedTail(null!, Hour, Hour)),
    ];

    private static readonly (string Name, string Parameter, string Message, Action Call)[] Wrong =
    [
        ("No unit", "units", "There must be at least one unit.", () => ReliabilityBlock.WithCommonCause(0.1)),
        ("A null unit", "units", "A unit is null.", () => ReliabilityBlock.WithCommonCause(0.1, ReliabilityBlock.Component("a", Nine), null!)),
        ("Blank name of a change", "name", "", () => _ = new PlanChange(" ", 1, d => d)),
        ("Blank name of an endpoint", "name", "", () => _ = new PlannedEndpoint(" ", Nine)),
        ("Alert that cannot fire", "slo", "Alert 'a' can never fire: the burn rate of a total outage is 2, and the threshold is 3.", () => new BurnRateAlert("a", 3, Hour, Hour).Evaluate(Half, new OutcomeCounters(), Hour)),
        ("Alert that looks back too far", "outcomes", "has a window of 02:00:00, and the counters hold only 01:00:00", () => new BurnRateAlert("a", 1, 2 * Hour, Hour).Evaluate(Half, new OutcomeCounters(Hour), Hour)),
    ];

    public static TheoryData<string> OutOfRangeNames => [.. OutOfRange.Select(c => c.Name)];

    public static TheoryData<string> MissingNames => [.. Missing.Select(c => c.Name)];

    public static TheoryData<string> WrongNames => [.. Wrong.Select(c => c.Name)];

    [Theory]
    [MemberData(nameof(OutOfRangeNames))]
    public void A_value_out_of_range_is_named_as_the_caller_knows_it(string name)
    {
        var (_, parameter, call) = OutOfRange.Single(c => c.Name == name);
        call.Should().ThrowExactly<ArgumentOutOfRangeException>().Which.ParamName.Should().Be(parameter);
    }

    [Theory]
    [MemberData(nameof(MissingNames))]
    public void A_missing_argument_is_named(string name)
    {
        var (_, parameter, call) = Missing.Single(c => c.Name == name);
        call.Should().ThrowExactly<ArgumentNullException>().Which.ParamName.Should().Be(parameter);
    }

    [Theory]
    [MemberData(nameof(WrongNames))]
    public void A_wrong_argument_is_named_with_the_reason(string name)
    {
        var (_, parameter, message, call) = Wrong.Single(c => c.Name == name);
        call.Should().ThrowExactly<ArgumentException>().WithMessage($"*{message}*").Which.ParamName.Should().Be(parameter);
    }

    [Fact]
    public void A_target_with_more_nines_than_a_double_has_is_still_a_target() =>
        ((double)Estimate.ZeroFailureTrials(AvailabilityRatio.FromUnavailability(1e-17)) / (Math.Log(20) * 1e17)).Should().BeApproximately(1, 1e-12);
}
