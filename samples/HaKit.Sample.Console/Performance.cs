using HaKit.Sample.Rehearsals;
using HaKit.Sample.Reports;

namespace HaKit.Sample;

/// <summary>Carries a plan out before an audience, and ends with the report.</summary>
internal static class Performance
{
    public static async Task<int> RunAsync(Plan plan, string? jsonFile, TextWriter output, CancellationToken cancellationToken)
    {
        // Opened first: half a minute of work is not to end with a file that cannot be written.
        await using var json = jsonFile is null ? null : Create(jsonFile);
        await WarmUpAsync(plan, cancellationToken);
        await using var rehearsal = await Rehearsal.StartAsync(plan, cancellationToken);
        var run = rehearsal.RunAsync(cancellationToken);
        await Display.For(output).ShowAsync(rehearsal, run);
        await run;
        var report = Report.Of(rehearsal);
        await output.WriteLineAsync(ReportText.Of(report));
        if (json is not null)
            await report.WriteAsync(json, cancellationToken);
        return report.IsGood ? 0 : 1;
    }

    // The first calls of a process are compiled while they run, and the figures are not to tell of that.
    private static async Task WarmUpAsync(Plan plan, CancellationToken cancellationToken)
    {
        var calls = Enumerable.Range(1, 20).Select(i => new Arrival(TimeSpan.FromMilliseconds(i), PromptTokens: 10, AnswerTokens: 10));
        await using var rehearsal = await Rehearsal.StartAsync(plan with { Arrivals = calls, Acts = [], StreamedShare = 0.5 }, cancellationToken);
        await rehearsal.RunAsync(cancellationToken);
    }

    private static FileStream Create(string file)
    {
        try
        {
            return File.Create(file);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new UsageException($"--json is '{file}', which cannot be written: {exception.Message}");
        }
    }
}
