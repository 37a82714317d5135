using System.Globalization;
using HaKit.Schedules;
using Microsoft.Coyote;
using Microsoft.Coyote.SystematicTesting;

// [iterations=1000] [name]: tries the given number of schedules of each scenario whose name contains the given name.
var iterations = args.Length > 0 ? uint.Parse(args[0], CultureInfo.InvariantCulture) : 1000;
var found = 0;
foreach (var (name, scenario) in Scenarios.All.Where(s => args.Length < 2 || s.Name.Contains(args[1], StringComparison.Ordinal)))
{
    var configuration = Configuration.Create().WithTestingIterations(iterations).WithMaxSchedulingSteps(2000)
        .WithPartiallyControlledConcurrencyAllowed().WithTelemetryEnabled(false)
        .WithMemoryAccessRaceCheckingEnabled().WithLockAccessRaceCheckingEnabled().WithAtomicOperationRaceCheckingEnabled().WithPotentialDeadlocksReportedAsBugs(false);
    var engine = TestingEngine.Create(configuration, scenario);
    engine.Run();
    var report = engine.TestReport;
    var isPlanted = name.StartsWith("planted", StringComparison.Ordinal);
    found += isPlanted ? 1 - Math.Min(1, report.NumOfFoundBugs) : report.NumOfFoundBugs;
    Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
        $"EVIDENCE {name}: {report.NumOfExploredFairPaths + report.NumOfExploredUnfairPaths} schedules, at most {Math.Max(report.MaxExploredFairSteps, report.MaxExploredUnfairSteps)} steps, {(isPlanted ? report.NumOfFoundBugs > 0 ? "found" : "NOT FOUND" : $"{report.NumOfFoundBugs} broke a promise")}"));
    foreach (var bug in report.BugReports.Take(isPlanted ? 0 : 3))
        Console.WriteLine(bug);
}
return found == 0 ? 0 : 1;
