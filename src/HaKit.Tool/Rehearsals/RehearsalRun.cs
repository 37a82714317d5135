using HaKit.Tool.Rehearsals.Reports;

namespace HaKit.Tool.Rehearsals;

/// <summary>Runs a plan, shows its progress, and prints the report.</summary>
internal static class RehearsalRun
{
    /// <summary>
    /// Runs the plan. The exit code is 1 if there was no call, if a call was lost, if a call succeeded with a wrong answer, or if the counts of client and servers
    /// differ. A stream whose cut was reported by an exception does not change the exit code.
    /// </summary>
    public static async Task<int> RunAsync(Plan plan, JsonOutput json, CancellationToken cancellationToken)
    {
        await WarmUpAsync(plan, cancellationToken);
        await using var rehearsal = await Rehearsal.StartAsync(plan, cancellationToken);
        var run = rehearsal.RunAsync(cancellationToken);
        await Display.For(json.Text).ShowAsync(rehearsal, run);
        await run;
        var report = Report.From(rehearsal);
        await json.Text.WriteLineAsync(ReportText.Write(report));
        await json.WriteAsync(report, cancellationToken);
        return report.IsGood ? HakitTool.Good : HakitTool.Bad;
    }

    // The first calls of a process include the time of compilation, so they are not measured.
    private static async Task WarmUpAsync(Plan plan, CancellationToken cancellationToken)
    {
        var calls = Enumerable.Range(1, 20).Select(i => new Arrival(TimeSpan.FromMilliseconds(i), PromptTokens: 10, AnswerTokens: 10));
        await using var rehearsal = await Rehearsal.StartAsync(plan with { Arrivals = calls, Acts = [], StreamedShare = 0.5 }, cancellationToken);
        await rehearsal.RunAsync(cancellationToken);
    }
}
