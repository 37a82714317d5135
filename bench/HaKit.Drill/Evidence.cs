using System.Globalization;
using System.Text;
using HaKit.Evidence;
using HaKit.Testing;
using HaKit.Tool.Drills;
using HaKit.Tool.Drills.Reports;

namespace HaKit.Drills;

/// <summary>
/// Runs the drill for every contender and writes the figures of docs/evidence/drill.md. Options: --only NAMES, --faults NAMES, --length SECONDS, and --beside N
/// for the number of contenders at a time.
/// </summary>
internal static class Evidence
{
    public static string Repository { get; } = Find(new DirectoryInfo(AppContext.BaseDirectory));

    public static async Task<int> RunAsync(string[] args)
    {
        var only = Option(args, "--only");
        var chosen = Contenders.All.Where(c => only is null || only.Split(',').Any(part => c.Name.Contains(part, StringComparison.OrdinalIgnoreCase))).ToArray();
        var settings = new DrillSettings
        {
            Faults = DrillUpstreamOptions.FaultsOf(Option(args, "--faults") ?? "all"),
            Length = TimeSpan.FromSeconds(double.Parse(Option(args, "--length") ?? "5", CultureInfo.InvariantCulture)),
        };
        var beside = int.Parse(Option(args, "--beside") ?? "1", CultureInfo.InvariantCulture);
        using var turns = new SemaphoreSlim(beside);
        var results = await Task.WhenAll(chosen.Select(async contender =>
        {
            await turns.WaitAsync();
            try
            {
                return await DrillAsync(contender, settings);
            }
            finally
            {
                turns.Release();
            }
        }));
        var reports = results.OfType<DrillReport>().ToArray();
        Console.WriteLine(reports.Any(r => r.IsVoid) ? "Some runs are VOID: the generator was late." : "Every run is valid.");
        var folder = Path.Combine(Repository, "docs", "evidence");
        if (only is null)
        {
            EvidencePage.Write(Path.Combine(folder, "drill.md"), "run", RunOf(reports, settings, beside));
            EvidencePage.Write(Path.Combine(folder, "drill.md"), "shares", SharesOf(reports, settings));
        }
        else
        {
            await File.WriteAllTextAsync(Path.Combine(folder, "drill-part.md"), $"# A part of the drill\n\n{RunOf(reports, settings, beside)}\n{SharesOf(reports, settings)}");
        }
        return reports.Length == chosen.Length ? 0 : 1;
    }

    private static async Task<DrillReport?> DrillAsync(DrillContender contender, DrillSettings settings)
    {
        try
        {
            var report = await DrillRun.RunAsync(contender, settings, fault => Console.WriteLine($"{contender.Name,-32} {DrillText.Row(fault)}"), CancellationToken.None);
            Console.WriteLine($"{contender.Name}: {DrillRow.Lag(report)}");
            return report;
        }
#pragma warning disable CA1031 // One contender that cannot be started must not end the run of the others.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Console.WriteLine($"{contender.Name}: could not be drilled: {exception.Message}");
            return null;
        }
    }

    private static string RunOf(DrillReport[] reports, DrillSettings settings, int beside)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"""
            Each of the {reports.Length} contenders sent calls to the same three upstreams, which played the same {settings.Faults.Count} faults. Number of contenders that ran at the same time: {beside}. If all upstreams are down for longer than a caller
            waits ({settings.Patience.TotalSeconds:0} s), no contender can serve every call.

            """);
        if (Array.Exists(reports, static r => r.IsVoid))
            text.Append("\n**VOID as a measurement of time**: the machine was busy with other work while this ran, and the generator itself was late by more than 5 ms (p99) for some contenders. Shares of right answers, wrong answers, requests per call and early sends stand; added delays do not, and are to be measured again on a quiet machine.\n");
        return text.ToString();
    }

    private static string SharesOf(DrillReport[] reports, DrillSettings settings)
    {
        var text = new StringBuilder();
        foreach (var report in reports)
            text.Append(CultureInfo.InvariantCulture, $"- {report.Target}: a healthy call takes {report.HealthyMedian:0.0} ms. {DrillRow.Lag(report)}\n");
        text.Append("\n| fault | ").AppendJoin(" | ", reports.Select(r => r.Target)).Append(" |\n|---|").Insert(text.Length, "--:|", reports.Length).Append('\n');
        foreach (var fault in settings.Faults)
        {
            var row = reports.Select(r => r.Faults.FirstOrDefault(f => f.Name == fault.Name)).ToArray();
            var best = row.Max(f => f?.Success ?? 0);
            text.Append(CultureInfo.InvariantCulture, $"| {fault.Name} | ").AppendJoin(" | ", row.Select(f => f is null ? "-" : CellOf(f, best))).Append(" |\n");
        }
        text.Append("\n## Every figure\n");
        foreach (var report in reports)
            text.Append('\n').Append(DrillMarkdown.Write(report).Replace("## ", "### ", StringComparison.Ordinal));
        return text.ToString();
    }

    private static string CellOf(FaultReport fault, double best)
    {
        var share = DrillRow.Percent(fault.Success);
        var wrong = fault.Wrong + fault.Half;
        return $"{(fault.Success >= best ? $"**{share}**" : share)}, {DrillRow.Time(fault.AddedP99)}{(wrong > 0 ? $", {wrong} wrong" : "")}";
    }

    private static string? Option(string[] args, string name) => Array.IndexOf(args, name) is >= 0 and var at && at + 1 < args.Length ? args[at + 1] : null;

    private static string Find(DirectoryInfo folder) => File.Exists(Path.Combine(folder.FullName, "HaKit.sln")) ? folder.FullName : Find(folder.Parent!);
}
