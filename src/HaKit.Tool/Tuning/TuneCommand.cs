using System.CommandLine;
using HaKit.Tool.Recordings;
using HaKit.Tool.Simulations;
using HaKit.Tool.WhatIf;

namespace HaKit.Tool.Tuning;

/// <summary>Searches for better values of five settings, on the basis of a recording or of reported incidents.</summary>
internal static class TuneCommand
{
    public static Command Create()
    {
        // The rate is lower than in hakit simulate, because each value needs its own run.
        var world = new WorldOptions(usualRate: 0.02, isRequired: false);
        var recording = RecordingFile.CreateArgument(isOptional: true);
        var name = RecordingFile.CreatePoolNameOption();
        var judged = CommandOptions.Number("--judged", "SHARE", "the share of the data that is not used for the search, but for the test of its result; this part is at the end of the data", 0.45, 0.1, 0.8);
        var json = JsonOutput.CreateOption();
        var command = new Command("tune", """
            Searches for better values of five settings. The command changes no settings.
            The settings are: deadline share, first-content multiplier, ejection period, hedging, tier order.
            With RECORDING, the search uses the calls of a flight recorder. With --incidents, it uses a history of incidents, as
            hakit simulate does.
            The command tries values on the first part of the time, and tests the best combination on the later part.
            Exit code 0 if the report is complete, even if no value is better.
            """) { recording, name, judged, json };
        foreach (var option in world.All)
            command.Options.Add(option);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var history = ReadHistory(parsed.GetValue(recording), name, world, parsed);
            await using var figures = JsonOutput.Open(parsed, json);
            var progress = Progress.For(parsed.InvocationConfiguration.Error, "tune");
            var result = new TuningSearch(history, parsed.GetValue(judged), share =>
            {
                cancellationToken.ThrowIfCancellationRequested();
                progress.Show(share);
            }).Run();
            await figures.Text.WriteAsync(TuningText.Render(result));
            await figures.WriteAsync(result with { Differences = [] }, cancellationToken);
            return HakitTool.Good;
        });
        return command;
    }

    private static ITuningHistory ReadHistory(string? recording, Option<string?> nameOption, WorldOptions world, ParseResult parsed)
    {
        var name = parsed.GetValue(nameOption);
        var hasIncidents = parsed.GetValue(world.IncidentsOption) is not null;
        if (recording is null == !hasIncidents)
            throw new UsageException(recording is null ? "Either a RECORDING or --incidents is needed." : "A RECORDING and --incidents are both given. Give one of them.");
        if (recording is null)
        {
            CommandOptions.ThrowIfGiven(parsed, "names the pool of a RECORDING, and none is given. Leave it out.", nameOption);
            return new IncidentTuningHistory(world.Read(parsed));
        }
        CommandOptions.ThrowIfGiven(parsed, "has no effect with a RECORDING. Leave it out.", world.All.Where(o => o != world.IncidentsOption && o != world.PoolOption));
        var recorded = RecordedWorld.FromRecording(RecordingFile.Read(recording, name));
        var question = new WhatIfCommand.Question(recording, name, parsed.GetValue(world.PoolOption), [], 2);
        return new RecordingTuningHistory(recorded, WhatIfCommand.SettingsOf(question, recorded));
    }
}
