using System.CommandLine;
using HaKit.Testing;

namespace HaKit.Tool.Simulations;

/// <summary>Calculates the availability of a pool under a real history of incidents.</summary>
internal static class SimulateCommand
{
    /// <summary>The largest accepted ratio of lost calls to calls that arrived while no service was up.</summary>
    public const double MostRatio = 1.2;

    public static Command Create()
    {
        var world = new WorldOptions();
        var json = JsonOutput.CreateOption();
        var svg = CommandOptions.Text("--svg", "FILE", "draws the history to a file");
        var sweep = CommandOptions.Text("--sweep", "SETTINGS", $"shows only the effect of each of these settings, one at a time; \"all\", or some of {string.Join(", ", Sweep.Names)}");
        var command = new Command("simulate", """
            Runs the real pool in virtual time through a real history of incidents, and calculates its availability.
            The endpoints are scripted, and everything runs on one thread. A call counts as lost if it is not served within its
            deadline.
            Exit code 1 if the pool lost more than 1.2 times as many calls as came while no service was up. If no call came in
            such a time: exit code 1 if any call was lost.
            """) { json, svg, sweep };
        foreach (var option in world.All)
            command.Options.Add(option);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var settings = parsed.GetValue(sweep) is { } names ? Sweep.Parse(names) : null;
            if (settings is not null)
                CommandOptions.ThrowIfGiven(parsed, "draws one run, and --sweep makes many. Leave one of them out.", svg);
            var read = world.Read(parsed);
            var error = parsed.InvocationConfiguration.Error;
            await using var figures = JsonOutput.Open(parsed, json);
            if (settings is not null)
            {
                var rows = settings.Run(read, setting => Watched(error, setting, cancellationToken));
                await figures.Text.WriteLineAsync(Sweep.Render(rows));
                await figures.WriteAsync(rows, cancellationToken);
                return HakitTool.Good;
            }
            await using var drawing = parsed.GetValue(svg) is { } file ? OutputFile.Create("--svg", file) : null;
            return await RunAsync(read, figures, drawing, error, cancellationToken);
        });
        return command;
    }

    private static async Task<int> RunAsync(World world, JsonOutput json, FileStream? svg, TextWriter error, CancellationToken cancellationToken)
    {
        var (scored, result) = Run(world, minorAsErrors: false, Watched(error, "impact 1 and up is down", cancellationToken));
        var (minor, _) = Run(world, minorAsErrors: true, Watched(error, "impact 1 is errors     ", cancellationToken));
        var figures = SimulateFigures.FromRuns(world, scored, minor);
        await json.Text.WriteAsync(SimulateText.Render(figures));
        await json.WriteAsync(figures, cancellationToken);
        if (svg is not null)
        {
            await using var writer = new StreamWriter(svg);
            await writer.WriteAsync(HistoryDrawing.Draw(world.History, result));
        }
        return figures.IsGood ? HakitTool.Good : HakitTool.Bad;
    }

    private static (RunFigures, SimulationResult) Run(World world, bool minorAsErrors, (Progress Progress, Action<double> Show) watched)
    {
        var (result, cameInVain) = world.Run(minorAsErrors, watched.Show);
        return (RunFigures.From(result, cameInVain, watched.Progress.Took), result);
    }

    private static (Progress, Action<double>) Watched(TextWriter error, string what, CancellationToken cancellationToken)
    {
        var progress = Progress.For(error, what);
        return (progress, share =>
        {
            cancellationToken.ThrowIfCancellationRequested();
            progress.Show(share);
        }
        );
    }
}
