using System.CommandLine;
using System.Globalization;

namespace HaKit.Tool.Recordings;

/// <summary>Shows the content of a recording.</summary>
internal static class RecordCommand
{
    public static Command Create()
    {
        var command = new Command("record", "Shows a recording of a flight recorder: calls, endpoints and changes of health over time.");
        command.Subcommands.Add(CreateShow());
        return command;
    }

    private static Command CreateShow()
    {
        var recording = RecordingFile.CreateArgument();
        var name = RecordingFile.CreatePoolNameOption();
        var day = CommandOptions.Text("--day", "DATE", "shows only this day (UTC), such as 2026-11-29 (default: the whole recording)");
        var html = CommandOptions.Text("--html", "FILE", "writes one HTML page that needs no other files");
        var json = JsonOutput.CreateOption();
        var command = new Command("show", """
            Shows a recording as text, and as one HTML page with --html.
            Damaged parts are left out, and the output names them. If the process was killed, its last file ends within a block.
            This is no error.
            """) { recording, name, day, html, json };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var from = DayOf(parsed.GetValue(day));
            var read = RecordingFile.Read(parsed.GetRequiredValue(recording)!, parsed.GetValue(name));
            if (from is { } begin && read.Events is [var first, .., var last] && (last.At < begin || first.At >= begin.AddDays(1)))
                throw new UsageException(string.Create(CultureInfo.InvariantCulture, $"--day is '{begin:yyyy-MM-dd}', and the recording has nothing of this day: it is from {first.At.UtcDateTime:yyyy-MM-dd HH:mm} to {last.At.UtcDateTime:yyyy-MM-dd HH:mm} UTC. Give a day of this time."));
            var figures = DayFigures.FromRecording(read, from, from?.AddDays(1));
            await using var output = JsonOutput.Open(parsed, json);
            if (parsed.GetValue(html) is { } file)
            {
                await using var stream = OutputFile.Create("--html", file);
                await using var writer = new StreamWriter(stream);
                await writer.WriteAsync(DayHtml.ToHtml(figures));
            }
            await output.Text.WriteAsync(DayText.ToText(figures));
            await output.WriteAsync(figures with { Changes = [] }, cancellationToken);
            return HakitTool.Good;
        });
        return command;
    }

    private static DateTimeOffset? DayOf(string? text)
    {
        if (text is null)
            return null;
        return DateTimeOffset.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var day)
            ? day
            : throw new UsageException($"--day is '{text}': a date such as 2026-11-29 is needed.");
    }
}
