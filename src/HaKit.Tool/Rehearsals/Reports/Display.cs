using System.Globalization;
using HaKit.Tool.Rehearsals;
using Spectre.Console;

namespace HaKit.Tool.Rehearsals.Reports;

/// <summary>Shows the progress of a rehearsal.</summary>
internal abstract class Display
{
    /// <summary>Creates a live table on a terminal, plain lines otherwise.</summary>
    public static Display For(TextWriter output)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output) });
        return console.Profile.Out.IsTerminal && console.Profile.Capabilities.Interactive ? new LiveTable(console) : new PlainLines(output);
    }

    /// <summary>Shows the progress until the run has ended, successfully or not.</summary>
    public abstract Task ShowAsync(Rehearsal rehearsal, Task run);

    protected static async Task<bool> IsOverAsync(Task run, int milliseconds) =>
        await Task.WhenAny(run, Task.Delay(milliseconds)) == run;

    protected static string Seconds(TimeSpan time) => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds,5:0.0} s");
}

/// <summary>Prints events as they occur, and the counts every five seconds.</summary>
internal sealed class PlainLines(TextWriter output) : Display
{
    public override async Task ShowAsync(Rehearsal rehearsal, Task run)
    {
        await output.WriteLineAsync($"{rehearsal.Plan.Title}, seed {rehearsal.Plan.Seed}: {string.Join(", ", rehearsal.Servers.Select(s => $"{s.Name} at {s.OpenAIAddress}"))}");
        var shown = 0;
        var next = TimeSpan.FromSeconds(5);
        for (var isOver = false; !isOver;)
        {
            isOver = await IsOverAsync(run, 100);
            foreach (var happening in rehearsal.Happenings.Skip(shown))
            {
                await output.WriteLineAsync($"{Seconds(happening.At)}  {happening.Text}");
                shown++;
            }
            if (rehearsal.Ledger.Now < next)
                continue;
            await output.WriteLineAsync($"{Seconds(next)}  {Glance.At(rehearsal)}");
            next += TimeSpan.FromSeconds(5);
        }
    }
}

/// <summary>A table with one row per endpoint, which is updated four times a second.</summary>
internal sealed class LiveTable(IAnsiConsole console) : Display
{
    public override Task ShowAsync(Rehearsal rehearsal, Task run) =>
        console.Live(Draw(rehearsal)).StartAsync(async live =>
        {
            for (var isOver = false; !isOver;)
            {
                isOver = await IsOverAsync(run, 250);
                live.UpdateTarget(Draw(rehearsal));
            }
        });

    internal static Table Draw(Rehearsal rehearsal)
    {
        var glance = Glance.At(rehearsal);
        var table = new Table().RoundedBorder()
            .Title($"{rehearsal.Plan.Title.EscapeMarkup()}  [grey]{Seconds(glance.Now)} of {Seconds(rehearsal.Plan.Duration).Trim()}[/]")
            .Caption($"{glance.Calls} calls · {glance.Failovers} failovers · {(glance.Lost == 0 ? "lost 0" : $"[red]lost {glance.Lost}[/]")}")
            .AddColumns("endpoint", "trouble", "health")
            .AddColumn(new TableColumn("share").RightAligned())
            .AddColumn(new TableColumn("").Width(12))
            .AddColumn(new TableColumn("p50").RightAligned())
            .AddColumn(new TableColumn("in flight").RightAligned());
        foreach (var row in glance.Endpoints)
        {
            table.AddRow(
                row.Name,
                row.Trouble is { } trouble ? $"[red]{trouble.ToString().ToLowerInvariant()}[/]" : "[green]well[/]",
                row.NotAdmittedBy is null ? $"[green]{row.Health}[/]" : $"[yellow]{row.Health}[/]",
                string.Create(CultureInfo.InvariantCulture, $"{row.Share:0 %}"),
                $"[blue]{new string('█', (int)Math.Round(12 * row.Share))}[/]",
                row.P50 is { } p50 ? string.Create(CultureInfo.InvariantCulture, $"{p50.TotalMilliseconds:0.0} ms") : "-",
                row.InFlight.ToString(CultureInfo.InvariantCulture));
        }

        return table;
    }
}
