using System.CommandLine;

namespace HaKit.Tool.Simulations;

/// <summary>Writes the report of all scenarios.</summary>
internal static class ReportCommand
{
    public static Command Create()
    {
        var folder = CommandOptions.Text("--out", "FOLDER", "where simulation-report.md and its drawings go");
        folder.Required = true;
        var command = new Command("report", "Runs every scenario of docs/evidence/simulation-report.md in virtual time and writes the page and its drawings.") { folder };
        command.SetAction((parsed, cancellationToken) =>
            RunAsync(parsed.GetRequiredValue(folder)!, parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(string folder, TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        OutputFile.CreateFolder("--out", folder);
        var progress = Progress.For(error, "report");
        var files = ScenarioReport.Write(share =>
        {
            cancellationToken.ThrowIfCancellationRequested();
            progress.Show(share);
        });
        foreach (var (name, content) in files)
        {
            var path = Path.Combine(folder, name);
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
            await File.WriteAllTextAsync(path, content, cancellationToken);
        }
        await output.WriteLineAsync($"{files.Count} files in {folder}");
        return HakitTool.Good;
    }
}
