namespace HaKit.Availability.Tests;

public sealed class BadInputTests
{
    private static readonly AvailabilityRatio Nine = AvailabilityRatio.From(0.9m);
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);
    private static readonly TimeSpan Negative = TimeSpan.FromTicks(-1);

    /// <summary>The calls with bad arguments, each with the parameter that the exception must name.</summary>
    private static readonly (string Name, string Parameter, Action Call)[] Cases =
    [
        ("Of NaN", "availability", () => AvailabilityRatio.From(double.NaN)),
        ("Of above 1", "availability", () => AvailabilityRatio.From(1.0000001)),
        ("Of decimal above 1", "availability", () => AvailabilityRatio.From(99.95m)),
        ("Of decimal below 0", "availability", () => AvailabilityRatio.From(-0.1m)),
        ("FromUnavailability below 0", "unavailability", () => AvailabilityRatio.FromUnavailability(-1e-300)),
        ("FromNines NaN", "nines", () => AvailabilityRatio.FromNines(double.NaN)),
        ("FromNines below 0", "nines", () => AvailabilityRatio.FromNines(-1)),
        ("FromMttfMttr mttf 0", "mttf", () => AvailabilityRatio.FromMttfMttr(0, 1)),
        ("FromMttfMttr mttf infinite", "mttf", () => AvailabilityRatio.FromMttfMttr(double.PositiveInfinity, 1)),
        ("FromMttfMttr mttr NaN", "mttr", () => AvailabilityRatio.FromMttfMttr(1, double.NaN)),
        ("FromMttfMttr time negative", "mttr", () => AvailabilityRatio.FromMttfMttr(Hour, Negative)),
        ("FromDowntime period 0", "period", () => AvailabilityRatio.FromDowntime(TimeSpan.Zero, TimeSpan.Zero)),
        ("FromDowntime more than all", "downtime", () => AvailabilityRatio.FromDowntime(Hour, 2 * Hour)),
        ("Downtime negative", "period", () => Nine.Downtime(Negative)),
        ("KofN k > n", "required", () => AvailabilityRatio.KofN(3, Nine, Nine)),
        ("KofN k < 0", "required", () => AvailabilityRatio.KofN(-1, Nine)),
        ("RequiredMttr", "mttf", () => Nine.RequiredMttr(-1)),
        ("RequiredMttf", "mttr", () => Nine.RequiredMttf(double.NaN)),
        ("MeanCycle", "mttr", () => AvailabilityRatio.MeanCycle(1, -1)),
        ("Instantaneous mttr 0", "mttr", () => AvailabilityRatio.Instantaneous(1, 0, 1)),
        ("Interval time", "time", () => AvailabilityRatio.Interval(1, 1, double.NaN)),
        ("Survival p", "failureProbability", () => Reliability.Survival(1.5, 1)),
        ("Survival n", "steps", () => Reliability.Survival(0.5, -1)),
        ("ExponentialSurvival rate", "rate", () => Reliability.ExponentialSurvival(-1, 1)),
        ("RateFromStepProbability 1", "failureProbability", () => Reliability.RateFromStepProbability(1, 1)),
        ("RateFromStepProbability step", "step", () => Reliability.RateFromStepProbability(0.1, 0)),
        ("StepsForFailureProbability", "failureProbability", () => Reliability.StepsForFailureProbability(0, 0.5)),
        ("StandbySurvival units", "units", () => Reliability.StandbySurvival(0, 1, 1)),
        ("StandbySurvival switching", "switching", () => Reliability.StandbySurvival(2, 1, 1, double.NaN)),
        ("InstancesFor required", "required", () => Capacity.InstancesFor(0, Nine, Nine)),
        ("InstancesFor never up", "instance", () => Capacity.InstancesFor(1, AvailabilityRatio.Never, Nine)),
        ("InstancesFor target 100 %", "target", () => Capacity.InstancesFor(1, Nine, AvailabilityRatio.Always)),
        ("AtLeast k > n", "required", () => Capacity.AtLeast(3, 2, Nine)),
        ("SparesLowerBound", "spares", () => Capacity.SparesLowerBound(3, 3, Nine)),
        ("NPlusK utilisation", "utilisation", () => Capacity.NPlusK(1, 1, 1.1, 0)),
        ("NPlusK utilisation 0", "utilisation", () => Capacity.NPlusK(1, 1, 0, 0)),
        ("NPlusK peak", "peak", () => Capacity.NPlusK(double.NaN, 1, 1, 0)),
        ("ZoneFactor all lost", "lost", () => Capacity.ZoneFactor(2, 2)),
        ("AfterLoss", "lost", () => Capacity.AfterLoss(2, 3, 1)),
        ("Capacity.Mean", "perInstance", () => Capacity.Mean(2, -1, Nine)),
        ("Backup.Count interval 0", "interval", () => Backup.Count(Hour, TimeSpan.Zero)),
        ("Backup.MeanDataLoss", "duration", () => Backup.MeanDataLoss(Hour, Negative)),
        ("Backup.LongestChain", "full", () => Backup.LongestChain(Hour, 2 * Hour)),
        ("Backup.RestoreSuccess", "pieces", () => Backup.RestoreSuccess(0, Nine)),
        ("Backup.AnyCopyLeft", "commonCause", () => Backup.AnyCopyLeft(2, Nine)),
        ("Backup.YoungInterval", "cost", () => Backup.YoungInterval(0, 1)),
        ("Backup.DalyInterval", "mtbf", () => Backup.DalyInterval(1, double.NaN)),
        ("Block KofN", "required", () => ReliabilityBlock.KofN(2, ReliabilityBlock.Component("a", Nine))),
        ("Block times", "mttr", () => ReliabilityBlock.Component("a", 1, 0)),
        ("Block beta", "beta", () => ReliabilityBlock.WithCommonCause(1.1, ReliabilityBlock.Component("a", Nine))),
        ("Group units", "Units", () => _ = new RepairableGroup { Mttf = 1, Mttr = 1, Units = 0 }),
        ("Group mttf", "Mttf", () => _ = new RepairableGroup { Mttf = double.NaN, Mttr = 1 }),
        ("Group crews", "Crews", () => _ = new RepairableGroup { Mttf = 1, Mttr = 1, Crews = 0 }),
        ("Group coverage", "Coverage", () => _ = new RepairableGroup { Mttf = 1, Mttr = 1, Coverage = -0.1 }),
        ("Group dormancy", "Dormancy", () => _ = new RepairableGroup { Mttf = 1, Mttr = 1, Dormancy = 2 }),
        ("Failover mttf", "Mttf", () => _ = new FailoverModel { Mttf = TimeSpan.Zero }),
        ("Failover detection", "Detection", () => _ = new FailoverModel { Detection = Negative }),
        ("Failover crews", "Crews", () => _ = new FailoverModel { Crews = 3 }),
        ("Heartbeat interval", "interval", () => _ = new Heartbeat(TimeSpan.Zero, Hour, 1)),
        ("Heartbeat timeout", "timeout", () => _ = new Heartbeat(Hour, Negative, 1)),
        ("Heartbeat misses", "misses", () => _ = new Heartbeat(Hour, Hour, 0)),
        ("Heartbeat loss", "loss", () => new Heartbeat(Hour, Hour, 1).MeanBeatsToFalseAlarm(1)),
        ("Phi deviation", "deviation", () => Heartbeat.Phi(1, 0, 1)),
        ("Slo target 100 %", "target", () => _ = new Slo(AvailabilityRatio.Always, Hour)),
        ("Slo period 0", "period", () => _ = new Slo(Nine, TimeSpan.Zero)),
        ("AllowedFailures", "calls", () => Slo.Default.AllowedFailures(-1)),
        ("AllowedOutages", "outage", () => Slo.Default.AllowedOutages(TimeSpan.Zero)),
        ("Consumed more than all", "failures", () => Slo.Default.Consumed(2, 1)),
        ("BurnRate target 100 %", "target", () => BurnRate.FromErrorRatio(AvailabilityRatio.Always, 0.1)),
        ("BurnRate ratio", "errorRatio", () => BurnRate.FromErrorRatio(Nine, double.NaN)),
        ("BurnRate threshold window 0", "window", () => BurnRate.Threshold(0.02, TimeSpan.Zero, Hour)),
        ("BurnRate threshold share 0", "budgetShare", () => BurnRate.Threshold(0, Hour, Hour)),
        ("BurnRate period 0", "period", () => BurnRate.TimeToExhaustion(1, TimeSpan.Zero)),
        ("BurnRate detection", "window", () => BurnRate.DetectionTime(Nine, 1, TimeSpan.Zero, 1)),
        ("Alert threshold", "threshold", () => _ = new BurnRateAlert("a", double.NaN, Hour, Hour)),
        ("Alert windows", "shortWindow", () => _ = new BurnRateAlert("a", 1, Hour, 2 * Hour)),
        ("Alert guard", "MinimumFailures", () => _ = new BurnRateAlert("a", 1, Hour, Hour) { MinimumFailures = 0 }),
        ("Counters resolution", "resolution", () => _ = new OutcomeCounters(Hour, TimeSpan.FromMilliseconds(1))),
        ("Counters horizon", "horizon", () => _ = new OutcomeCounters(TimeSpan.FromSeconds(1))),
        ("Counters window", "window", () => new OutcomeCounters().Count(Hour, TimeSpan.Zero)),
        ("ClopperPearson x > n", "successes", () => Estimate.ClopperPearson(2, 1)),
        ("Wilson n 0", "trials", () => Estimate.Wilson(0, 0)),
        ("Jeffreys confidence", "confidence", () => Estimate.Jeffreys(1, 2, 1)),
        ("ZeroFailureLower", "trials", () => Estimate.ZeroFailureLower(0)),
        ("ZeroFailureTrials", "target", () => Estimate.ZeroFailureTrials(AvailabilityRatio.Always)),
        ("ZeroFailureTrials never", "target", () => Estimate.ZeroFailureTrials(AvailabilityRatio.Never)),
        ("MtbfBounds time", "totalTime", () => Estimate.MtbfBounds(0, 1)),
        ("MtbfBounds event without one", "failures", () => Estimate.MtbfBounds(1, 0, end: ObservationEnd.Event)),
        ("MtbfLower confidence", "confidence", () => Estimate.MtbfLower(1, 1, double.NaN)),
        ("AvailabilityLower repairs", "repairs", () => Estimate.AvailabilityLower(1, 1, 1, 0)),
        ("AvailabilityBounds", "downtime", () => Estimate.AvailabilityBounds(1, -1, 1, 1)),
        ("Renewal", "cycles", () => Estimate.Renewal((1, double.NaN), (1, 1))),
        ("KaplanMeier", "lifetimes", () => _ = new KaplanMeier([new Lifetime(-1, true)])),
        ("KaplanMeier time", "time", () => new KaplanMeier([new Lifetime(1, true)]).Survival(double.NaN)),
        ("Sprt order", "bad", () => _ = new Sprt(0.2, 0.1)),
        ("Sprt alpha", "alpha", () => _ = new Sprt(0.1, 0.2, 0.6, 0.6)),
        ("Retry attempts", "attempts", () => Retry.Success(Nine, 0)),
        ("Retry hard", "hard", () => Retry.SuccessWithSharedCause(-1, 0, 1)),
        ("Retry alpha", "alpha", () => Retry.SuccessWithCorrelation(0, 1, 1)),
        ("Retry.AttemptsFor", "attempt", () => Retry.AttemptsFor(AvailabilityRatio.Never, Nine)),
        ("Retry.AttemptsFor 100 %", "target", () => Retry.AttemptsFor(Nine, AvailabilityRatio.Always)),
        ("Retry layers", "layers", () => Retry.LayerAmplification(1, 0)),
        ("Retry backoff", "factor", () => Retry.TotalBackoff(Hour, 0.5, 2)),
        ("Retry reject", "accepts", () => Retry.RejectProbability(1, 2)),
        ("Retry multiplier", "multiplier", () => Retry.RejectProbability(1, 1, 0.5)),
        ("Hedge delay", "delay", () => Retry.HedgedTail(_ => 0.5, Hour, Negative)),
        ("Queue rate", "rate", () => Queueing.Concurrency(-1, Hour)),
        ("Queue servers", "servers", () => Queueing.ErlangC(0, 1)),
        ("Queue load", "load", () => Queueing.ErlangB(1, double.NaN)),
        ("Queue service", "service", () => Queueing.MeanWait(1, 1, 0)),
        ("Queue waiting", "waiting", () => Queueing.ServersFor(1, 0)),
        ("Planner beta", "beta", () => Planner.EndpointsFor(Nine, Nine, 1, 2)),
        ("Planner required", "required", () => Planner.EndpointsFor(Nine, Nine, 0)),
        ("Planner endpoint", "endpoint", () => Planner.EndpointsFor(AvailabilityRatio.Never, Nine)),
        ("Design beta", "Beta", () => _ = new PoolDesign { Endpoints = [new("a", Nine)], Beta = double.NaN }),
        ("Design detection", "Detection", () => _ = new PoolDesign { Endpoints = [new("a", Nine)], Detection = Negative }),
        ("Design required", "Required", () => _ = new PoolDesign { Endpoints = [new("a", Nine)], Required = 0 }),
        ("Endpoint mttr", "Mttr", () => _ = new PlannedEndpoint("a", Nine) { Mttr = TimeSpan.Zero }),
        ("Change cost", "cost", () => _ = new PlanChange("a", double.NaN, d => d)),
        ("History capacity", "capacity", () => _ = new UptimeHistory(Hour, capacity: 0)),
        ("Joint required", "required", () => JointDowntime.Measure([new UptimeHistory(Hour).Summarize(Hour)], 2)),
        ("FromMttfMttr time 0", "mttf", () => AvailabilityRatio.FromMttfMttr(TimeSpan.Zero, Hour)),
        ("FromDowntime negative", "downtime", () => AvailabilityRatio.FromDowntime(Hour, Negative)),
        ("AtLeast of none", "instances", () => Capacity.AtLeast(0, 0, Nine)),
        ("SparesLowerBound of none", "instances", () => Capacity.SparesLowerBound(0, 0, Nine)),
        ("NPlusK spares", "spares", () => Capacity.NPlusK(1, 1, 1, -1)),
        ("ZoneFactor of none", "zones", () => Capacity.ZoneFactor(0, 0)),
        ("AfterLoss of less than none", "instances", () => Capacity.AfterLoss(-1, 0, 1)),
        ("Backup.LongestChain incremental", "incremental", () => Backup.LongestChain(Hour, TimeSpan.Zero)),
        ("Backup.MeanRestoreSuccess", "pieces", () => Backup.MeanRestoreSuccess(0, Nine)),
        ("MtbfBounds failures", "failures", () => Estimate.MtbfBounds(1, -1)),
        ("MtbfLower time", "totalTime", () => Estimate.MtbfLower(0, 1)),
        ("MtbfLower event without one", "failures", () => Estimate.MtbfLower(1, 0, end: ObservationEnd.Event)),
        ("AvailabilityBounds uptime", "uptime", () => Estimate.AvailabilityBounds(-1, 1, 1, 1)),
        ("AvailabilityBounds failures", "failures", () => Estimate.AvailabilityBounds(1, 1, -1, 1)),
        ("AvailabilityBounds repairs", "repairs", () => Estimate.AvailabilityBounds(1, 1, 1, -1)),
        ("KaplanMeier share", "share", () => new KaplanMeier([new Lifetime(1, true)]).TimeAt(1.5)),
        ("Report confidence", "confidence", () => AvailabilityReport.Create(Hour, [new("a", new UptimeHistory(Hour))], new OutcomeCounters(), confidence: 1)),
    ];

    public static TheoryData<string> Names => [.. Cases.Select(c => c.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void What_is_out_of_range_is_refused_by_name(string name)
    {
        var (_, parameter, call) = Cases.Single(c => c.Name == name);
        call.Should().Throw<ArgumentOutOfRangeException>().Which.ParamName.Should().Be(parameter);
    }

    [Fact]
    public void What_is_missing_is_refused_with_what_is_wrong()
    {
        FluentActions.Invoking(() => ReliabilityBlock.Series()).Should().Throw<ArgumentException>();
        FluentActions.Invoking(() => ReliabilityBlock.Parallel(null!, null!)).Should().Throw<ArgumentException>();
        FluentActions.Invoking(() => ReliabilityBlock.Component(" ", Nine)).Should().Throw<ArgumentException>();
        FluentActions.Invoking(() => new PoolDesign { Endpoints = [] }).Should().Throw<ArgumentException>();
        FluentActions.Invoking(() => new PoolDesign { Endpoints = [new("a", Nine), new("a", Nine)] }).Should().Throw<ArgumentException>().WithMessage("*'a'*");
        FluentActions.Invoking(() => Backup.AnyCopyLeft(0.1)).Should().Throw<ArgumentException>();
        FluentActions.Invoking(() => new KaplanMeier([])).Should().Throw<ArgumentException>();
        FluentActions.Invoking(() => Estimate.Renewal((1, 1))).Should().Throw<ArgumentException>();
        FluentActions.Invoking(() => JointDowntime.Measure([])).Should().Throw<ArgumentException>().WithParameterName("histories");
        FluentActions.Invoking(() => JointDowntime.Measure(null!)).Should().Throw<ArgumentNullException>().WithParameterName("histories");
        FluentActions.Invoking(() => new KaplanMeier(null!)).Should().Throw<ArgumentNullException>().WithParameterName("lifetimes");
        FluentActions.Invoking(() => new BurnRateAlert(" ", 1, Hour, Hour)).Should().Throw<ArgumentException>().WithParameterName("name");
        FluentActions.Invoking(() => BurnRateAlert.Standard(null!)).Should().Throw<ArgumentNullException>().WithParameterName("slo");
        FluentActions.Invoking(() => new BurnRateAlert("a", 1, Hour, Hour).CanFire(null!)).Should().Throw<ArgumentNullException>().WithParameterName("slo");
        FluentActions.Invoking(() => AvailabilityReport.Create(Hour, null!, new OutcomeCounters())).Should().Throw<ArgumentNullException>().WithParameterName("endpoints");
        FluentActions.Invoking(() => AvailabilityReport.Create(Hour, [new("a", new UptimeHistory(Hour))], null!)).Should().Throw<ArgumentNullException>().WithParameterName("calls");
        FluentActions.Invoking(() => new RepairableGroup { Mttf = 1, Mttr = 1, Units = 2, Required = 3 }.Availability()).Should().Throw<InvalidOperationException>();
        FluentActions.Invoking(() => new RepairableGroup { Mttf = 1, Mttr = null }.Availability()).Should().Throw<InvalidOperationException>();
        FluentActions.Invoking(() => new PoolDesign { Endpoints = [new("a", Nine)], Required = 2 }.Evaluate()).Should().Throw<InvalidOperationException>();
    }
}
