using HaKit.Recording;
using HaKit.Testing;
using HaKit.Tool.Tuning;

namespace HaKit.Tool.Tests.Tuning;

public sealed class TuneTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("hakit-tune-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static bool IsLongEjection(EndpointPoolOptions options) => options.CircuitBreaker.BreakDuration == TimeSpan.FromSeconds(15);

    [Fact]
    public void A_value_that_helps_throughout_is_proposed_and_holds()
    {
        var result = Search(static (o, _) => IsLongEjection(o) ? 0.01 : 0.02);
        result.Proposed.Should().ContainSingle().Which.Should().Match<TriedValue>(t => t.Setting == "ejection period, s" && t.Value == "15");
        result.Differences.Should().ContainSingle().Which.Name.Should().Be("CircuitBreaker:BreakDuration");
        result.Judged.Should().HaveCount(4);
        result.Holds.Should().BeTrue();
        TuningText.Render(result).Should().Contain("- CircuitBreaker:BreakDuration: 00:00:05").And.Contain("+ CircuitBreaker:BreakDuration: 00:00:15").And.Contain("worse in no later part");
    }

    [Fact]
    public void A_value_that_helped_only_in_the_first_parts_does_not_hold()
    {
        double[] changed = [0.01, 0.03];
        var result = Search((o, part) => IsLongEjection(o) ? changed[part / 6] : 0.02);
        result.Proposed.Should().ContainSingle();
        result.Holds.Should().BeFalse();
        TuningText.Render(result).Should().Contain("do not confirm");
    }

    [Fact]
    public void Chance_is_not_taken_for_an_effect()
    {
        double[] changed = [0.01, 0.029];
        var result = Search((o, part) => o.Hedging.Enabled ? changed[part % 2] : 0.02);
        result.Proposed.Should().BeEmpty();
        TuningText.Render(result).Should().Contain("Keep the current settings");
    }

    [Fact]
    public void What_is_not_known_is_not_proposed()
    {
        var result = Search(static (o, _) => o.Hedging.Enabled ? 0 : 0.05, lostIfUp: 0);
        result.Proposed.Should().BeEmpty();
        TuningText.Render(result).Should().Contain("cannot be known");
    }

    [Theory]
    [InlineData(new double[] { 1, 2, 3 }, new double[] { 1, 2, 3 }, 0, 0, 0)]
    [InlineData(new double[] { 0, 0, 0 }, new double[] { 1, 2, 3 }, 2, 0.3142, 3.6858)] // 2 ± 2.920 × 1 / √3
    public void The_interval_is_that_of_Student(double[] before, double[] after, double mean, double low, double high)
    {
        var difference = Difference.Between(before, after);
        difference.Mean.Should().BeApproximately(mean, 1e-9);
        difference.Low.Should().BeApproximately(low, 1e-3);
        difference.High.Should().BeApproximately(high, 1e-3);
    }

    [Fact]
    public async Task A_recording_is_searched_and_nothing_is_applied()
    {
        var simulation = new Simulation(5).Endpoints(2, ServiceModel.LogNormal(TimeSpan.FromSeconds(0.6), TimeSpan.FromSeconds(3)).FirstContentAfter(0.3))
            .Options(static o => (o.Heartbeat.Enabled, o.TotalRequestTimeout.Timeout) = (true, TimeSpan.FromSeconds(8)))
            .Parts(parts => parts.UseFlightRecorder(new FlightRecorderOptions { Folder = _folder }));
        for (var minute = 2; minute < 30; minute += 5)
            simulation.Fault("e0", FakeFault.Hang, TimeSpan.FromMinutes(minute), TimeSpan.FromMinutes(minute + 1));
        simulation.Run(Workload.Poisson(1).OfTokens(300, 80), TimeSpan.FromMinutes(30));
        var (exitCode, output, error) = await ToolRun.RunAsync("tune", _folder);
        exitCode.Should().Be(0, error);
        output.Should().Contain("Nothing was applied").And.Contain("deadline share").And.Contain("tier order").And.ContainAny("Keep the current settings", "worse in no later part");
    }

    [Fact]
    public async Task Incidents_are_searched()
    {
        var file = Path.Combine(_folder, "incidents.csv");
        string[] services = ["a", "b"];
        var lines = Enumerable.Range(1, 4).Select(day => $"2024-01-0{day}T10:00:00Z,2024-01-0{day}T14:00:00Z,{services[day % 2]},2,i{day}");
        await File.WriteAllLinesAsync(file, ["start,end,service,impact,incident", .. lines], TestContext.Current.CancellationToken);
        var (exitCode, output, error) = await ToolRun.RunAsync("tune", "--incidents", file, "--services", "a,b", "--rate", "0.01", "--days", "4");
        exitCode.Should().Be(0, error);
        output.Should().StartWith("incidents of a and b: values were tried on the first 2 parts");
    }

    [Theory]
    [InlineData("Either a RECORDING or --incidents")]
    [InlineData("A RECORDING and --incidents are both given", "/tmp", "--incidents", "x.csv")]
    [InlineData("cannot be read", "/no/such/folder")]
    public async Task What_cannot_be_searched_is_refused(string because, params string[] args)
    {
        var (exitCode, _, error) = await ToolRun.RunAsync(["tune", .. args]);
        exitCode.Should().Be(2);
        error.Should().ContainEquivalentOf(because);
    }

    private static TuningResult Search(Func<EndpointPoolOptions, int, double> lost, double? lostIfUp = null) =>
        new TuningSearch(new Scripted(lost, lostIfUp), 0.4, static _ => { }).Run();

    // Ten parts of which the lost share is given.
    private sealed class Scripted(Func<EndpointPoolOptions, int, double> lost, double? lostIfUp) : ITuningHistory
    {
        public string Title => "scripted";

        public IReadOnlyList<string> Parts { get; } = [.. Enumerable.Range(0, 10).Select(static i => $"part {i}")];

        public EndpointPoolOptions CreateSettings() => new() { Endpoints = [new EndpointOptions { Name = "a" }, new EndpointOptions { Name = "b" }] };

        public PartFigures Run(int part, Action<EndpointPoolOptions> change)
        {
            var options = CreateSettings();
            change(options);
            var share = lost(options, part);
            return new PartFigures(1000, share, lostIfUp ?? share, 2, 1.01);
        }
    }
}
