using System.Net;
using System.Text.Json;
using HaKit.Testing;
using HaKit.Tool.Drills;

namespace HaKit.Tool.Tests.Drills;

/// <summary>Runs complete, short drills on real sockets. The assertions are about answers, never about times.</summary>
public sealed class DrillCommandTests
{
    [Fact(Timeout = 120_000)]
    public async Task A_pool_serves_every_call_while_an_upstream_fails()
    {
        var report = await RunAsync(DrillContenders.HaKit, DrillFaults.Error500, DrillFaults.Throttled, DrillFaults.Cut);

        foreach (var fault in report.Faults.SkipLast(1))
            (fault.Right, fault.Wrong, fault.Half).Should().Be((fault.Calls, 0, 0), "{0}: {1}", fault.Name, string.Join("; ", fault.Why.Keys));
        // A matter of microseconds decides whether the first content was handed over before the reset arrived. If it was, the stream reports a cut.
        var cut = report.Faults[^1];
        (cut.Wrong, cut.Half).Should().Be((0, 0));
        cut.Why.Keys.Where(why => !why.Contains(nameof(PartialResponseException), StringComparison.Ordinal)).Should().BeEmpty();
    }

    [Fact(Timeout = 120_000)]
    public async Task A_pool_of_anthropic_upstreams_serves_every_call_too()
    {
        DrillFault[] faults = [DrillFaults.Error500, DrillFaults.All503, DrillFaults.Throttled, DrillFaults.Quota, DrillFaults.Unauthorized, DrillFaults.NotFound, DrillFaults.ErrorEvent, DrillFaults.Garbled];
        var left = faults.Select(DrillDialect.Anthropic.Translate).ToList();

        // A fault that no call meets proves nothing, and chance decides which upstream gets the few calls of a second. So such a fault is tried again.
        for (var attempt = 1; attempt <= 5 && left.Count > 0; attempt++)
        {
            var report = await RunAsync(DrillContenders.HaKitIn(DrillDialect.Anthropic), [.. left]);
            foreach (var fault in report.Faults)
            {
                (fault.Right, fault.Wrong, fault.Half).Should().Be((fault.Calls, 0, 0), "{0}: {1}", fault.Name, string.Join("; ", fault.Why.Keys));
                if (fault.Met > 0)
                    left.RemoveAll(f => f.Name == fault.Name);
            }
        }

        left.Should().BeEmpty("each fault must meet a call within five tries");
    }

    [Fact(Timeout = 120_000)]
    public async Task Each_error_of_the_matrix_is_told_in_the_dialect_of_the_drill()
    {
        await using var target = new SingleUpstreamTarget();
        var report = await RunAsync(
            new DrillContender("alone", addresses => Task.FromResult<IDrillTarget>(target.At(addresses[0], DrillDialect.Anthropic)), IsFresh: false),
            DrillDialect.Anthropic.Translate(DrillFaults.All503), DrillDialect.Anthropic.Translate(DrillFaults.Garbled));

        report.Faults[0].Why.Keys.Should().ContainMatch("*status 529*");
        report.Faults[1].Wrong.Should().BePositive();
        foreach (var step in DrillFaults.Full.SelectMany(f => DrillDialect.Anthropic.Translate(f).Steps(TimeSpan.FromSeconds(5))))
            step.Fault.Name.Should().NotContain("OpenAI");
        foreach (var fault in DrillFaults.Full)
            DrillDialect.Anthropic.Translate(fault).Steps(TimeSpan.FromSeconds(5)).Max(static s => s.Until).Should().Be(fault.Steps(TimeSpan.FromSeconds(5)).Max(static s => s.Until));
    }

    [Fact(Timeout = 120_000)]
    public async Task What_stands_between_and_does_not_fail_over_loses_the_struck_calls_and_the_report_finds_them()
    {
        await using var target = new SingleUpstreamTarget();
        var report = await RunAsync(new DrillContender("the first upstream alone", addresses => Task.FromResult<IDrillTarget>(target.At(addresses[0])), IsFresh: false), DrillFaults.Error500);

        var fault = report.Faults.Should().ContainSingle().Subject;
        fault.Failed.Should().Be(fault.Met).And.BePositive();
        fault.Why.Keys.Should().ContainMatch("*status 500*");
        fault.Timeline.Sum(b => b.Failed).Should().Be(fault.Failed);
        fault.Timeline.Sum(b => b.Calls).Should().Be(fault.Calls);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_garbled_200_is_a_wrong_answer_and_a_stream_that_ends_early_is_half_of_one()
    {
        await using var target = new SingleUpstreamTarget();
        var ends = new DrillFault("ends-early", "ends streams without a finish reason", length => [new DrillStep(FakeFault.EndAfter(2), TimeSpan.Zero, length)]);
        var report = await RunAsync(new DrillContender("alone", addresses => Task.FromResult<IDrillTarget>(target.At(addresses[0])), IsFresh: false), DrillFaults.Garbled, ends);

        report.Faults[0].Wrong.Should().BePositive();
        report.Faults[0].Failed.Should().Be(0);
    }

    [Fact(Timeout = 120_000)]
    public async Task The_command_writes_text_json_markdown_and_a_page_and_asserts()
    {
        var folder = Directory.CreateTempSubdirectory("hakit-drill-").FullName;
        string At(string name) => Path.Combine(folder, name);
        await File.WriteAllTextAsync(At("assert.json"), """{ "amplification": 1 }""", TestContext.Current.CancellationToken);

        var (exitCode, output, error) = await ToolRun.RunAsync("drill", "--faults", "error-500", "--length", "1s", "--rate", "20",
            "--json", At("drill.json"), "--markdown", At("drill.md"), "--html", At("drill.html"), "--assert", At("assert.json"));

        error.Should().BeEmpty();
        exitCode.Should().Be(HakitTool.Bad);
        output.Should().Contain("MISSED error-500: amplification is").And.Contain("The generator was late by");
        using var json = JsonDocument.Parse(await File.ReadAllTextAsync(At("drill.json"), TestContext.Current.CancellationToken));
        json.RootElement.GetProperty("Faults")[0].GetProperty("Name").GetString().Should().Be("error-500");
        (await File.ReadAllTextAsync(At("drill.md"), TestContext.Current.CancellationToken)).Should().Contain("| error-500 | 100 % |");
        (await File.ReadAllTextAsync(At("drill.html"), TestContext.Current.CancellationToken)).Should().Contain("<svg").And.NotContain("http://").And.NotContain("https://");
        Directory.Delete(folder, recursive: true);
    }

    [Theory(Timeout = 60_000)]
    [InlineData("--length is '50d': a time from 1ms to 1d", "drill", "--length", "50d")]
    [InlineData("--patience is '400d': a time from 1ms to 1d", "drill", "--patience", "400d")]
    [InlineData("--length is '0.000001ms': a time from 1ms to 1d", "serve", "--length", "0.000001ms")]
    [InlineData("--target is 'nginx'", "drill", "--target", "nginx")]
    [InlineData("--faults names 'fire'", "drill", "--faults", "fire")]
    [InlineData("--dialect is 'klingon'", "drill", "--dialect", "klingon")]
    [InlineData("--upstreams has '70000'", "drill", "--upstreams", "70000")]
    [InlineData("--header is not of the form NAME:VALUE", "drill", "--target", "http://127.0.0.1:1/v1", "--header", "x")]
    [InlineData("--assert is '/no/such/file'", "drill", "--assert", "/no/such/file")]
    public async Task What_cannot_be_drilled_is_refused(string because, params string[] args)
    {
        var (exitCode, _, error) = await ToolRun.RunAsync(args);

        error.Should().Contain(because);
        exitCode.Should().Be(HakitTool.NotRun);
    }

    [Fact(Timeout = 60_000)]
    public async Task Serve_goes_through_its_faults_and_ends_after_its_rounds()
    {
        var (exitCode, output, _) = await ToolRun.RunAsync("serve", "--upstreams", "19171,19172", "--faults", "error-500,refused", "--length", "100ms", "--rounds", "1");

        output.Should().Contain("upstream-1: http://127.0.0.1:19171/v1 (OpenAI)").And.Contain("error-500 begins").And.Contain("refused is over");
        exitCode.Should().Be(HakitTool.Good);
    }

    [Fact(Timeout = 60_000)]
    public void The_page_of_the_tool_shows_the_matrix()
    {
        var page = File.ReadAllText(Path.Combine(Repository.Root, "docs", "tool.md"));

        foreach (var fault in DrillFaults.Full)
            page.Should().Contain($"| `{fault.Name}` | {fault.Description} |");
    }

    private static Task<DrillReport> RunAsync(DrillContender contender, params DrillFault[] faults) => DrillRun.RunAsync(
        contender,
        new DrillSettings { Faults = faults, Rate = 20, Length = TimeSpan.FromSeconds(1), Before = TimeSpan.FromSeconds(0.5), After = TimeSpan.FromSeconds(1) },
        static _ => { }, TestContext.Current.CancellationToken);

    /// <summary>A client of one upstream that does not retry.</summary>
    private sealed class SingleUpstreamTarget : IAsyncDisposable
    {
        private readonly HttpClient _client = new();

        public HttpDrillTarget At(Uri address, DrillDialect? dialect = null) => new(_client, address, [], dialect: dialect);

        public ValueTask DisposeAsync()
        {
            _client.Dispose();
            return default;
        }
    }
}
