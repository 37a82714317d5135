using HaKit.Testing;
using HaKit.Tool.Rehearsals;
using HaKit.Tool.Rehearsals.Reports;
using Spectre.Console;
using Arrival = HaKit.Tool.Rehearsals.Arrival;

namespace HaKit.Tool.Tests.Rehearsals;

/// <summary>Runs complete, short rehearsals on real sockets.</summary>
public sealed class RehearsalTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_replay_loses_no_call()
    {
        var file = Path.GetTempFileName();
        var start = new DateTime(2024, 2, 29, 23, 59, 50);
        await File.WriteAllLinesAsync(file, ["TIMESTAMP,ContextTokens,GeneratedTokens", .. Enumerable.Range(0, 200)
            .Select(i => FormattableString.Invariant($"{start.AddSeconds(0.3 * i):yyyy-MM-dd HH:mm:ss.fffffff},{1 + 37 * i % 4000},{1 + 11 * i % 600}"))], Token);

        var (exitCode, output, error) = await ToolRun.RunAsync("replay", "--trace", file, "--speed", "20", "--streamed", "0");

        error.Should().BeEmpty();
        output.Should().Contain("200 calls").And.Contain("alpha is killed").And.Contain("bravo is slowed").And.EndWith("served 200, cut 0, wrong 0, lost 0" + Environment.NewLine);
        exitCode.Should().Be(0);
        File.Delete(file);
    }

    [Fact]
    public async Task A_stream_that_is_cut_says_so_and_is_neither_lost_nor_taken_for_whole()
    {
        var plan = new Plan
        {
            Title = "cut",
            Seed = 1,
            Failover = true,
            StreamedShare = 1,
            Duration = TimeSpan.FromSeconds(1),
            Arrivals = Enumerable.Range(0, 30).Select(_ => new Arrival(TimeSpan.Zero, AnswerTokens: 100)),
            Acts = [],
            Usual = FakeFault.CutAfter(50),
            Slowness = TimeSpan.Zero,
            AttemptTimeout = TimeSpan.FromSeconds(10),
            Deadline = TimeSpan.FromSeconds(30),
        };
        await using var rehearsal = await Rehearsal.StartAsync(plan, Token);
        await rehearsal.RunAsync(Token);
        var report = Report.From(rehearsal);

        (report.Cut, report.Served, report.Wrong, report.Lost).Should().Be((30, 0, 0, 0));
        report.Why.Should().OnlyContain(why => why.Contains(nameof(PartialResponseException)));
        report.Reconciles.Should().BeTrue();
    }

    [Fact]
    public async Task The_live_table_has_a_row_for_each_endpoint_with_its_trouble()
    {
        var plan = new Plan
        {
            Title = "table",
            Seed = 1,
            Failover = true,
            StreamedShare = 0,
            Duration = TimeSpan.FromSeconds(5),
            Arrivals = Enumerable.Range(0, 20).Select(_ => new Arrival(TimeSpan.Zero)),
            Acts = [new Act(1, Trouble.Throttled, TimeSpan.Zero, TimeSpan.FromSeconds(5))],
            Usual = FakeFault.None,
            Slowness = TimeSpan.Zero,
            AttemptTimeout = TimeSpan.FromSeconds(10),
            Deadline = TimeSpan.FromSeconds(30),
        };
        await using var rehearsal = await Rehearsal.StartAsync(plan, Token);
        var run = rehearsal.RunAsync(Token);
        rehearsal.TroubleOf(1).Should().Be(Trouble.Throttled);
        var during = Drawn(LiveTable.Draw(rehearsal));
        await run;
        var after = Drawn(LiveTable.Draw(rehearsal));

        during.Should().MatchRegex("alpha.*well").And.MatchRegex("bravo.*throttled").And.MatchRegex("charlie.*well");
        after.Should().MatchRegex("bravo.*well").And.Contain("20 calls").And.Contain("lost 0");
    }

    [Fact]
    public async Task Output_that_is_no_terminal_gets_plain_lines()
    {
        using var output = new StringWriter();
        await output.WriteAsync(Display.For(output).GetType().Name);
        output.ToString().Should().Be(nameof(PlainLines));
    }

    private static string Drawn(Table table)
    {
        using var text = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, Out = new AnsiConsoleOutput(text) });
        console.Profile.Width = 120;
        console.Write(table);
        return text.ToString();
    }
}
