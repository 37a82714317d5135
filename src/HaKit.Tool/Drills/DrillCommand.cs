using System.CommandLine;
using System.Globalization;
using HaKit.Testing;
using HaKit.Tool.Drills.Reports;

namespace HaKit.Tool.Drills;

/// <summary>Sends an open-loop load with known right answers through the component under test, while its upstreams go through all faults.</summary>
internal static class DrillCommand
{
    public static Command Create()
    {
        var options = new DrillOptions();
        var command = new Command("drill", """
            Measures the effect of faults on calls that go through a gateway, a proxy, your application, or a HaKit pool.
            The drill starts the upstreams (the servers behind the target) itself. Configure the target with their addresses:
            http://127.0.0.1:9101/v1, 9102, 9103.
            Without --target, the drill tests a HaKit pool with its defaults, within this process. The page docs/tool.md lists
            the faults.
            Exit code 1 if a requirement of --assert is not met, or if the run is invalid because the load generator was late.
            """);
        foreach (var option in options.All)
            command.Options.Add(option);
        command.SetAction((parsed, cancellationToken) => RunAsync(parsed, options, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, DrillOptions options, CancellationToken cancellationToken)
    {
        // The files are opened first, so that a run of minutes does not end with a file that cannot be read or written.
        var assertions = parsed.GetValue(options.Assert) is { } file ? DrillAssertions.Read(file) : null;
        var (settings, contender) = (options.SettingsOf(parsed), options.ContenderOf(parsed));
        await using var json = JsonOutput.Open(parsed, options.Json);
        await using var markdown = Open(parsed, options.Markdown);
        await using var html = Open(parsed, options.Html);
        await json.Text.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
            $"{contender.Name}: {settings.Faults.Count} faults, about {settings.Faults.Sum(f => (f.LengthFactor * settings.Length + settings.Before + settings.After).TotalSeconds):0} s{Environment.NewLine}"));
        await json.Text.WriteLineAsync(DrillText.Headings);
        var report = await DrillRun.RunAsync(contender, settings, fault => json.Text.WriteLine(DrillText.Row(fault)), cancellationToken);
        await json.Text.WriteLineAsync(DrillText.Footer(report));
        await json.WriteAsync(report, cancellationToken);
        await WriteAsync(markdown, DrillMarkdown.Write(report));
        await WriteAsync(html, DrillHtml.Write(report));
        var misses = assertions?.Misses(report) ?? [];
        foreach (var miss in misses)
            await json.Text.WriteLineAsync($"MISSED {miss}");
        return misses.Count == 0 && !report.IsVoid ? HakitTool.Good : HakitTool.Bad;
    }

    private static StreamWriter? Open(ParseResult parsed, Option<string?> option) =>
        parsed.GetValue(option) is { } file ? new StreamWriter(OutputFile.Create(option.Name, file)) : null;

    private static Task WriteAsync(StreamWriter? writer, string text) => writer?.WriteAsync(text) ?? Task.CompletedTask;
}
