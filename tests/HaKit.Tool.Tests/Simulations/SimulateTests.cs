using System.Text.Json;
using HaKit.Tool.Planning;
using HaKit.Tool.Simulations;

namespace HaKit.Tool.Tests.Simulations;

public sealed class SimulateTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("hakit-simulate-").FullName;

    // There are two services. Both are down for twenty minutes of the second hour.
    private const string Csv = """
        start,end,service,impact,incident
        2024-01-01T01:00:00Z,2024-01-01T01:40:00Z,left,2,a
        2024-01-01T01:20:00Z,2024-01-01T02:00:00Z,right,1,b
        2024-01-01T03:00:00Z,2024-01-01T03:30:00Z,left,1,c
        """;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_pool_is_unavailable_for_no_longer_than_all_of_its_services_were_down()
    {
        var (exitCode, output, error) = await SimulateAsync("--days", "0.25", "--rate", "2", "--json", File_("figures.json"), "--svg", File_("history.svg"));

        exitCode.Should().Be(0, output);
        output.Should().Contain("left               80.5556 % of the time up   2 outages, 1.2 h").And.Contain("limit              94.4444 %");
        error.Should().Contain("impact 1 and up is down 100 %");
        using var figures = JsonDocument.Parse(await File.ReadAllTextAsync(File_("figures.json"), TestContext.Current.CancellationToken));
        var scored = figures.RootElement.GetProperty("Scored");
        figures.RootElement.GetProperty("LimitUnavailability").GetDouble().Should().BeApproximately(20 / 360.0, 1e-9);
        figures.RootElement.GetProperty("Ratio").GetDouble().Should().BeInRange(0.8, 1.2);
        scored.GetProperty("Lost").GetInt64().Should().BeInRange(1, scored.GetProperty("CameInVain").GetInt64(), "who comes at the end of an outage waits it out");
        // With impact 1 as errors, only "left" is ever completely down. "right" fails three times in ten, so two attempts on it fail for one call in eleven.
        figures.RootElement.GetProperty("MinorAsErrors").GetProperty("Lost").GetInt64().Should().BeLessThan(scored.GetProperty("Lost").GetInt64() / 5);
        (await File.ReadAllTextAsync(File_("history.svg"), TestContext.Current.CancellationToken)).Should().Contain(">left<").And.Contain(">the pool lost calls<");
    }

    [Fact]
    public void A_pool_that_loses_exactly_the_calls_that_could_not_be_served_is_as_good_as_its_services()
    {
        var run = new RunFigures
        {
            Calls = 1000,
            Lost = 20,
            CameInVain = 20,
            Failures = new Dictionary<string,
            long>(),
            AttemptsPerCall = 1,
            P50 = 1,
            P99 = 1,
            P9999 = 1,
            Ejections = 0,
            WastedTokens = 0,
            Detected = null,
            FailedOver = null,
            Recovered = null,
            WallSeconds = 1,
        };
        var figures = new SimulateFigures { From = default, Days = 1, Seed = 1, Services = [], LimitUnavailability = 0.01, Scored = run, MinorAsErrors = run };
        figures.Ratio.Should().Be(1);
        figures.IsGood.Should().BeTrue("the services were down for 1 % of the time, and 2 % of the calls came then");
        (figures with { Scored = run with { Lost = 25 } }).IsGood.Should().BeFalse();
    }

    [Fact]
    public async Task The_same_seed_gives_the_same_figures_to_the_byte()
    {
        var texts = new List<string>();
        for (var i = 0; i < 2; i++)
        {
            var (_, output, _) = await SimulateAsync("--days", "0.1", "--seed", "7");
            texts.Add(string.Join('\n', output.Split('\n').Where(line => !line.Contains("calls a second", StringComparison.Ordinal))));
        }
        texts[0].Should().Be(texts[1]);
    }

    [Fact]
    public async Task A_pool_of_ones_own_is_read_as_configuration_and_takes_part_by_its_provider()
    {
        await File.WriteAllTextAsync(File_("pool.json"), """
            { "chat": { "TotalRequestTimeout": { "Timeout": "00:00:30" }, "Endpoints": [
                { "Name": "a", "Provider": "left", "Address": "https://a.example/v1" }, { "Name": "b", "Provider": "right", "Address": "https://b.example/v1", "Tier": 1 } ] } }
            """, TestContext.Current.CancellationToken);
        var (exitCode, output, _) = await SimulateAsync("--days", "0.05", "--pool", File_("pool.json"));
        exitCode.Should().Be(0, output);
        output.Should().Contain("lost 0");
    }

    [Fact]
    public async Task A_sweep_as_json_has_the_figures_of_each_run()
    {
        var (exitCode, output, _) = await SimulateAsync("--days", "0.1", "--sweep", "attempts", "--json");

        exitCode.Should().Be(HakitTool.Good);
        using var rows = JsonDocument.Parse(output);
        rows.RootElement.EnumerateArray().Select(row => row.GetProperty("Setting").GetString() + " " + row.GetProperty("Value").GetString())
            .Should().Equal("as it is ", "attempts 1", "attempts 2", "attempts 6");
        rows.RootElement.EnumerateArray().Should().OnlyContain(row => row.GetProperty("Run").GetProperty("Calls").GetInt64() > 0);
    }

    [Fact]
    public async Task A_sweep_shows_what_each_value_of_a_setting_would_have_done()
    {
        var (exitCode, output, _) = await SimulateAsync("--days", "0.1", "--sweep", "attempts,deadline");
        exitCode.Should().Be(0);
        var rows = output.Trim().Split('\n').Skip(1).Select(row => row[..28].Trim()).ToArray();
        rows.Should().HaveCount(7).And.StartWith("as it is");
        rows[1].Should().StartWith("attempts").And.EndWith("1");
        var lost = output.Trim().Split('\n').Skip(1).Select(row => int.Parse(row[40..50], System.Globalization.CultureInfo.InvariantCulture)).ToArray();
        lost[1].Should().BeGreaterThan(lost[0], "with a single attempt each failing answer is a lost call");
    }

    [Theory]
    [InlineData("--incidents")]
    [InlineData("It has incidents of left, right", "--services", "centre")]
    [InlineData("which cannot be read", "--trace", "/no/such/trace.csv")]
    [InlineData("which cannot be used", "--pool", "/no/such/pool.json")]
    [InlineData("--sweep names 'luck'", "--sweep", "luck")]
    public async Task What_cannot_be_simulated_is_refused(string because, params string[] args)
    {
        var (exitCode, _, error) = args.Length == 0 ? await ToolRun.RunAsync("simulate") : await SimulateAsync(args);
        exitCode.Should().Be(2);
        error.Should().Contain(because);
    }

    [Fact]
    public void Outages_that_overlap_are_one_and_all_are_down_where_each_is()
    {
        var history = History.FromIncidents(Incidents.Read(new StringReader(Csv)), ["left", "right"], days: null);
        history.Length.Should().Be(TimeSpan.FromDays(31));
        history.AllDown().Should().Equal(new Span(TimeSpan.FromMinutes(80), TimeSpan.FromMinutes(100)));
    }

    [Fact]
    public async Task Three_days_of_the_real_history_with_real_arrivals()
    {
        var data = Path.Combine(Repository.Root, "..", "shared", "data");
        var incidents = Path.Combine(data, "llm-incidents-2023-07-to-2024-05.csv");
        Assert.SkipUnless(File.Exists(incidents), $"{incidents} is not there.");
        var (exitCode, output, _) = await ToolRun.RunAsync(
            "simulate", "--incidents", incidents, "--trace", Path.Combine(data, "azure-llm-conv-2023.csv"), "--days", "3");
        exitCode.Should().Be(0, output);
        output.Should().Contain("lost 0", "the services were never down together in those days");
    }

    private async Task<(int ExitCode, string Output, string Error)> SimulateAsync(params string[] args)
    {
        await File.WriteAllTextAsync(File_("incidents.csv"), Csv, TestContext.Current.CancellationToken);
        string[] services = args.Contains("--services") ? [] : ["--services", "left,right"];
        return await ToolRun.RunAsync(["simulate", "--incidents", File_("incidents.csv"), .. services, .. args]);
    }

    private string File_(string name) => Path.Combine(_folder, name);
}
