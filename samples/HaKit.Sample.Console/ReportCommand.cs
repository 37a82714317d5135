using HaKit.Sample.Simulations;

namespace HaKit.Sample;

/// <summary>Writes the report of all scenarios.</summary>
internal static class ReportCommand
{
    private const string Usage = """
        report --out FOLDER

          --out FOLDER   where simulation-report.md and its drawings go
        """;

    public static async Task<int> RunAsync(IEnumerable<string> args, TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        var line = new CommandLine(args);
        if (line.Flag("--help") || line.Flag("-h"))
        {
            await output.WriteLineAsync(Usage);
            return 0;
        }
        var folder = line.Text("--out") ?? throw new UsageException("--out is needed: the folder to write to.");
        line.RefuseTheRest();
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
        return 0;
    }
}
