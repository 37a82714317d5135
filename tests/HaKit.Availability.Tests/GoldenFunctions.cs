using System.Globalization;
using System.Text.RegularExpressions;
using HaKit.Availability.Numerics;
using static HaKit.Availability.ReliabilityBlock;

namespace HaKit.Availability.Tests;

/// <summary>Maps each function of the table to its name in the library. A result of null means "never" or "unreachable".</summary>
internal static class GoldenFunctions
{
    // Tests the numerical solutions: quantiles and steady states.
    private static readonly string[] Solved = ["Estimate.", "KaplanMeier.Greenwood", "Repairable.", "Failover.Unavailability"];

    public static double Tolerance(string function) => Solved.Any(start => function.StartsWith(start, StringComparison.Ordinal)) ? 1e-10 : 1e-13;

    public static Dictionary<string, Func<GoldenRow, double?>> All { get; } = new()
    {
        ["Availability.FromMttfMttr"] = r => AvailabilityRatio.FromMttfMttr(r["mttf"], r["mttr"]).Value,
        ["Availability.Nines"] = r => Fraction(r.Text("A")).Nines,
        ["Availability.FromDowntime"] = r => AvailabilityRatio.FromDowntime(r.Time("total"), r.Time("down")).Value,
        ["Availability.RequiredMttr"] = r => r.Availability("A").RequiredMttr(r["mttf"]),
        ["Availability.MeanCycle"] = r => AvailabilityRatio.MeanCycle(r["mttf"], r["mttr"]),
        ["Availability.Downtime"] = r => r.Availability("A").Downtime(r.Time("period")).TotalSeconds,
        ["Availability.FromNines.Unavailability"] = r => AvailabilityRatio.FromNines(r["nines"]).Unavailability,
        ["Availability.Instantaneous"] = r => AvailabilityRatio.Instantaneous(r["mttf"], r["mttr"], r["t"]).Value,
        ["Availability.Interval"] = r => AvailabilityRatio.Interval(r["mttf"], r["mttr"], r["t"]).Value,

        ["Structure.Series"] = r => AvailabilityRatio.Series(r.Units()).Value,
        ["Structure.Series.Unavailability"] = r => AvailabilityRatio.Series(r.Has("U=") ? r.UnitsByUnavailability() : r.Units()).Unavailability,
        ["Structure.Parallel"] = r => AvailabilityRatio.Parallel(r.Units()).Value,
        ["Structure.Parallel.Unavailability"] = r => AvailabilityRatio.Parallel(RepeatedUnits(r)).Unavailability,
        ["Structure.KofN"] = r => KofNOf(r).Value,
        ["Structure.KofN.Unavailability"] = r => KofNOf(r).Unavailability,
        ["Structure.SparesApproximation"] = r => Capacity.SparesLowerBound((int)r["n"], (int)r["spares"], r.Availability("a")).Value,
        ["Structure.Eval"] = r => r.Inputs.StartsWith("bridge", StringComparison.Ordinal) ? Bridge().Availability.Value : BlockText.Parse(r.Inputs).Availability.Value,
        ["Structure.EvalNaiveWrong"] = r => NaiveAndNotReturned(r),

        ["Reliability.DiscreteSurvival"] = r => Reliability.Survival(r["p"], (long)r["n"]).Value,
        ["Reliability.DiscreteFailure"] = r => Reliability.Survival(r["p"], (long)r["n"]).Unavailability,
        ["Reliability.ExponentialSurvival"] = r => Reliability.ExponentialSurvival(r["rate"], r["t"]).Value,
        ["Reliability.RateFromStepProbability"] = r => Reliability.RateFromStepProbability(r["p"], r["step"]),
        ["Reliability.StepsForFailureProbability"] = r => Reliability.StepsForFailureProbability(r["p"], r["P"]),
        ["Standby.Survival"] = r => Reliability.StandbySurvival(2, r["rate"], r["t"], r["switch p"]).Value,

        ["Capacity.InstancesFor"] = r => Capacity.InstancesFor((int)r["required"], r.Availability("a"), r.Availability("target")),
        ["Capacity.NPlusK"] = r => Capacity.NPlusK(r["peak"], r["per"], r["util"], (int)r["k"]),
        ["Capacity.ZoneFactor"] = r => Capacity.ZoneFactor((int)r["zones"], (int)r["survive"]),

        ["Detection.WorstCase"] = r => HeartbeatOf(r).WorstDetectionTime.TotalSeconds,
        ["Detection.Mean"] = r => HeartbeatOf(r).MeanDetectionTime.TotalSeconds,
        ["Detection.MeanBeatsToFalseAlarm"] = r => new Heartbeat(TimeSpan.FromSeconds(1), TimeSpan.Zero, (int)r["misses"]).MeanBeatsToFalseAlarm(r["loss"]),
        ["Detection.Phi"] = r => Heartbeat.Phi(r["mean"], r["sd"], r["elapsed"]),

        ["CommonCause.BetaParallel"] = r => Conditioned(r["Q"], r["beta"], (int)r["n"]).Value,
        ["CommonCause.BetaParallel.Unavailability"] = r => MarginalKept(r["Q"], r["beta"], (int)r["n"]).Unavailability,
        ["Planner.EndpointsFor"] = r => Planner.EndpointsFor(r.Availability("a"), r.Availability("target"), (int)r["k"], r.Has("beta") ? r["beta"] : 0).Value,
        ["Importance.Birnbaum"] = BirnbaumOf,
        ["Dependency.ResidualBudget"] = r => new Slo(r.Availability("target"), TimeSpan.FromDays(365))
            .ResidualBudget([.. Enumerable.Repeat(AvailabilityRatio.FromUnavailability(r["5 deps U"]), 5)]).TotalMinutes,

        ["System.FailureFrequency"] = r => TwoOfThree(r).GetTimes().FailureFrequency,
        ["System.MeanDownTime"] = r => TwoOfThree(r).GetTimes().MeanDownTime,
        ["System.MeanUpTime"] = r => TwoOfThree(r).GetTimes().MeanUpTime,
        ["Repairable.Unavailability"] = r => GroupOf(r).Availability().Unavailability,
        ["Repairable.Mttf"] = r => GroupOf(r).MeanTimeToFirstFailure(),
        ["Repairable.MttfWithCoverage"] = r => (GroupOf(r) with { Coverage = r["c"] }).MeanTimeToFirstFailure(),
        ["Repairable.MttfNoRepair"] = r => new RepairableGroup { Units = (int)r.Parts.Select(GoldenRow.Number).First(), Required = (int)r["k"], Mttf = 1 / r["l"], Mttr = null }.MeanTimeToFirstFailure(),

        ["Failover.Unavailability"] = r => new FailoverModel
        {
            Mttf = r.Time("mttf"),
            Mttr = r.Time("mttr"),
            Detection = r.Time("failover"),
            Coverage = r["coverage"],
            UncoveredRecovery = r.Time("uncovered"),
        }.Availability().Unavailability,
        ["Failover.MaxEventsInBudget"] = r => new Slo(r.Availability("A"), r.Time("period")).AllowedOutages(r.Time("outage")),

        ["Retry.Success"] = r => Retry.Success(r.Availability("p"), (int)r["attempts"]).Value,
        ["Retry.Failure"] = r => Retry.Success(AvailabilityRatio.FromUnavailability(r["pfail"]), (int)r["attempts"]).Unavailability,
        ["Retry.ExpectedAttempts"] = r => Retry.ExpectedAttempts(r.Availability("p"), (int)r["attempts"]),
        ["Retry.SuccessMixture"] = r => Retry.SuccessWithSharedCause(r["hard q"], r["transient e"], (int)r["attempts"]).Value,
        ["Retry.FailureBetaBinomial"] = r => Retry.SuccessWithCorrelation(r["alpha"], r["beta"], (int)r["attempts"]).Unavailability,
        ["Retry.AttemptsFor"] = r => Retry.AttemptsFor(r.Availability("p"), r.Availability("target")),
        ["Retry.LayerAmplification"] = r => Retry.LayerAmplification((int)r["attempts"], (int)r["layers"]),
        ["Retry.TotalBackoff"] = r => Retry.TotalBackoff(r.Time("base"), r["factor"], (int)r["attempts"]).TotalMilliseconds,
        ["Throttle.RejectProbability"] = r => Retry.RejectProbability((long)r["requests"], (long)r["accepts"], r["K"]),

        ["BurnRate.Threshold"] = r => BurnRate.Threshold(r["budget"], r.Time("window"), r.Time("period")),
        ["BurnRate.DetectionTime"] = r => BurnRate.DetectionTime(r.Availability("slo"), r["error"], r.Time("window"), r["burn"])?.TotalSeconds,
        ["BurnRate.ResetTime"] = r => BurnRate.ResetTime(r.Availability("slo"), r["error"], r.Time("window"), r["burn"])?.TotalMinutes,
        ["BurnRate.TimeToExhaustion"] = r => BurnRate.TimeToExhaustion(r["burn"], r.Time("period")).TotalSeconds,
        ["BurnRate.FromErrorRatio"] = r => BurnRate.FromErrorRatio(r.Availability("slo"), r["error"]),
        ["ErrorBudget.ConsumedFraction"] = r => r.Has("burn")
            ? BurnRate.ConsumedShare(r["burn"], r.Time("window"), r.Time("period"))
            : new Slo(r.Availability("slo"), r.Time("period")).Consumed(TimeSpan.FromHours(r.Has("full outage 1h") ? 1 : throw new InvalidOperationException(r.ToString()))),
        ["ErrorBudget.AllowedFailures"] = r => new Slo(r.Availability("slo"), TimeSpan.FromDays(30)).AllowedFailures((long)r["requests"]),

        ["Estimate.ClopperPearson.Lower"] = r => Bounds(r, Estimate.ClopperPearson).Lower.Value,
        ["Estimate.ClopperPearson.Upper"] = r => Bounds(r, Estimate.ClopperPearson).Upper.Value,
        ["Estimate.Wilson.Lower"] = r => Bounds(r, Estimate.Wilson).Lower.Value,
        ["Estimate.Wilson.Upper"] = r => Bounds(r, Estimate.Wilson).Upper.Value,
        ["Estimate.Jeffreys.Lower"] = r => Bounds(r, Estimate.Jeffreys).Lower.Value,
        ["Estimate.Jeffreys.Upper"] = r => Bounds(r, Estimate.Jeffreys).Upper.Value,
        ["Estimate.ZeroFailureUpper"] = r => Estimate.ZeroFailureLower((long)r["n"], r["conf"]).Unavailability,
        ["Estimate.ZeroFailureSampleSize"] = r => Estimate.ZeroFailureTrials(r.Availability("target"), r["conf"]),
        ["Estimate.MtbfLower"] = r => r.Text("conf").EndsWith("one-sided", StringComparison.Ordinal)
            ? Estimate.MtbfLower(r["T"], (long)r["failures"], r["conf"])
            : Estimate.MtbfBounds(r["T"], (long)r["failures"], r["conf"]).Lower,
        ["Estimate.MtbfUpper"] = r => Estimate.MtbfBounds(r["T"], (long)r["failures"], r["conf"]).Upper,
        ["Estimate.AvailabilityLowerF"] = r => Estimate.AvailabilityLower(r["up"], r["down"], (long)r["failures"], (long)r["repairs"], r["conf"]).Value,
        ["Estimate.FQuantile"] = r => FDistribution.Quantile(r["d1"], r["d2"], r["p"], (double)(1m - r.Exact("p"))),
        ["Estimate.Renewal.StdError"] = r => r.Inputs == "cycles(up,down)=(100,1),(200,2),(150,3)"
            ? Estimate.Renewal((100, 1), (200, 2), (150, 3)).StandardError
            : throw new InvalidOperationException(r.ToString()),
        ["KaplanMeier.Survival"] = r => PublishedExample(r).Survival(17200),
        ["KaplanMeier.GreenwoodLower"] = r => PublishedExample(r).Bounds(17200, r["conf"]).Lower,
        ["Sprt.UpperBound"] = r => new Sprt(0.1, 0.2, r["alpha"], r["beta"]).UpperBound,
        ["Sprt.LogLikelihoodStep"] = r => new Sprt(r["p0"], r["p1"]).Step(success: !r.Parts.Contains("failure")),

        ["Queue.ErlangB"] = r => Queueing.ErlangB((int)r["c"], r["a"]),
        ["Queue.ErlangC"] = r => Queueing.ErlangC((int)r["c"], r["a"]),
        ["Queue.MeanWait"] = r => Queueing.MeanWait((int)r["c"], r["lambda"], GoldenRow.Number(r.Text("mu"))),
        ["Queue.ServersFor"] = r => Queueing.ServersFor(r["a"], GoldenRow.Number(r.Inputs[(r.Inputs.IndexOf("<=", StringComparison.Ordinal) + 2)..])),
        ["Queue.Concurrency"] = r => Queueing.Concurrency(r["lambda"], r.Time("latency")),

        ["Backup.Count"] = r => Backup.Count(r.Time("horizon"), r.Time("interval")),
        ["Backup.MeanDataLoss"] = r => Backup.MeanDataLoss(r.Time("interval"), r.Time("duration")).TotalSeconds,
        ["Backup.WorstDataLoss"] = r => Backup.WorstDataLoss(r.Time("interval"), r.Time("duration")).TotalSeconds,
        ["Backup.RestoreChainMax"] = r => Backup.LongestChain(r.Time("full"), r.Time("incremental")),
        ["Backup.RestoreChainMean"] = r => Backup.MeanChain(r.Time("full"), r.Time("incremental")),
        ["Backup.RestoreSuccess"] = r => Backup.RestoreSuccess((int)r["chain"], r.Availability("piece")).Value,
        ["Backup.RestoreSuccessMean"] = r => Backup.MeanRestoreSuccess(Backup.LongestChain(r.Time("full"), r.Time("incremental")), r.Availability("piece")).Value,
        ["Backup.AllCopiesLost"] = r => Backup.AnyCopyLeft(r["common"], [.. r.Units().Select(lost => AvailabilityRatio.FromUnavailability(lost.Value))]).Unavailability,
        ["Backup.YoungInterval"] = r => Backup.YoungInterval(r["cost"], r["mtbf"]),
        ["Backup.DalyInterval"] = r => Backup.DalyInterval(r["cost"], r["mtbf"]),
    };

    // "5/6": up for 5 of 6.
    private static AvailabilityRatio Fraction(string text)
    {
        var parts = text.Split('/');
        var (up, total) = (GoldenRow.Number(parts[0]), GoldenRow.Number(parts[1]));
        return AvailabilityRatio.FromMttfMttr(up, total - up);
    }

    private static Heartbeat HeartbeatOf(GoldenRow r) => new(r.Time("interval"), r.Time("timeout"), (int)r["misses"]);

    private static AvailabilityRatio KofNOf(GoldenRow r)
    {
        var units = r.Has("n=")
            ? Enumerable.Repeat(r.Has("U=") ? AvailabilityRatio.FromUnavailability(r["U"]) : r.Availability("a"), (int)r["n"]).ToArray()
            : r.Units();
        return AvailabilityRatio.KofN((int)r["k"], units);
    }

    /// <summary>Reads "4 x 0.999 given as U=1e-3".</summary>
    private static AvailabilityRatio[] RepeatedUnits(GoldenRow r) =>
        Regex.Match(r.Inputs, @"^(\d+) x (\S+) given as U=(\S+)$") is { Success: true } match
            && Math.Abs(1 - GoldenRow.Number(match.Groups[2].Value) - GoldenRow.Number(match.Groups[3].Value)) < 1e-12
            ? [.. Enumerable.Repeat(AvailabilityRatio.FromUnavailability(GoldenRow.Number(match.Groups[3].Value)), int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture))]
            : throw new InvalidOperationException(r.ToString());

    private static ReliabilityBlock Bridge()
    {
        var (a, b, c, d, e) = (Component("a", Nine()), Component("b", Nine()), Component("c", Nine()), Component("d", Nine()), Component("e", Nine()));
        return Parallel(Series(a, d), Series(b, e), Series(a, c, e), Series(b, c, d));

        static AvailabilityRatio Nine() => AvailabilityRatio.From(0.9m);
    }

    /// <summary>
    /// Two web servers share one database. The value for two databases must be equal to the result with two objects, and differ from the result with one
    /// object.
    /// </summary>
    /// <param name="row">Says which unit is taken for two. Its "same" are two web servers of 0.99 over one database of 0.999.</param>
    private static double NaiveAndNotReturned(GoldenRow row)
    {
        var shared = Regex.Match(row.Inputs, "^same; treating (db) as two units$") is { Success: true } match ? match.Groups[1].Value : throw new InvalidOperationException(row.ToString());
        var (web1, web2) = (Component("web 1", AvailabilityRatio.From(0.99m)), Component("web 2", AvailabilityRatio.From(0.99m)));
        var (db, other) = (Component(shared, AvailabilityRatio.From(0.999m)), Component($"other {shared}", AvailabilityRatio.From(0.999m)));
        var naive = Parallel(Series(web1, db), Series(web2, other)).Availability.Value;
        var right = Parallel(Series(web1, db), Series(web2, db)).Availability.Value;
        right.Should().BeApproximately(0.9989001, 1e-15).And.NotBeApproximately(naive, 1e-4);
        return naive;
    }

    /// <summary>A variant that conditions on the common cause, but does not keep each unit's own unavailability, written as blocks.</summary>
    private static AvailabilityRatio Conditioned(double q, double beta, int n)
    {
        var units = Enumerable.Range(0, n).Select(i => (ReliabilityBlock)Component($"unit {i}", AvailabilityRatio.FromUnavailability((1 - beta) * q))).ToArray();
        return Series(Component("cause", AvailabilityRatio.FromUnavailability(beta * q)), Parallel(units)).Availability;
    }

    private static AvailabilityRatio MarginalKept(double q, double beta, int n) =>
        Parallel(WithCommonCause(beta, [.. Enumerable.Range(0, n).Select(i => Component($"unit {i}", AvailabilityRatio.FromUnavailability(q)))])).Availability;

    private static double? BirnbaumOf(GoldenRow r)
    {
        var (x, text) = (r.Inputs.Split(": ")[1], r.Inputs.Split(": ")[0]);
        return BlockText.Parse(text).GetImportance().Single(importance => importance.Name == x).Birnbaum;
    }

    private static ReliabilityBlock TwoOfThree(GoldenRow r) =>
        KofN(2, [.. Enumerable.Range(0, 3).Select(i => Component($"unit {i}", r["mttf"], r["mttr"]))]);

    private static RepairableGroup GroupOf(GoldenRow r) => new()
    {
        Units = 2,
        Required = 1,
        Mttf = 1 / r["l"],
        Mttr = 1 / r["mu"],
        Dormancy = r.Has("hot") ? 1 : r.Has("cold") ? 0 : throw new InvalidOperationException(r.ToString()),
        Crews = r.Has("1 crew") ? 1 : 2,
    };

    private static AvailabilityInterval Bounds(GoldenRow r, Func<long, long, double, AvailabilityInterval> method)
    {
        var counts = r.Parts[0].Split('/');
        return method((long)GoldenRow.Number(counts[0]), (long)GoldenRow.Number(counts[1]), r["conf"]);
    }

    private static KaplanMeier PublishedExample(GoldenRow r)
    {
        r.Inputs.Should().Contain("example 1 at 17200");
        double[] failed = [5248, 7454, 16890, 17200, 38700, 45000, 49390, 69040, 72280, 131900];
        double[] cut =
        [
            3961, 4007, 4734, 6054, 7298, 10190, 23060, 27160, 28690, 37100, 40060, 45670, 53000, 67000, 69630, 77350, 78470, 91680,
            105700, 106300, 150400,
        ];
        return new KaplanMeier([.. failed.Select(t => new Lifetime(t, true)), .. cut.Select(t => new Lifetime(t, false))]);
    }
}
