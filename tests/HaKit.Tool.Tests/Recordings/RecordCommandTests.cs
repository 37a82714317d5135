using System.Text.Json;
using HaKit.Recording;
using HaKit.Testing;

namespace HaKit.Tool.Tests.Recordings;

public sealed class RecordCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("hakit-record-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    // Records an hour in which "a" refuses connections for ten minutes, and both endpoints fail for one minute.
    private void Record(string name = "e", Action<EndpointPoolOptions>? settings = null)
    {
        var options = new FlightRecorderOptions { Folder = _folder };
        new Simulation(3).Endpoints(2, ServiceModel.LogNormal(TimeSpan.FromSeconds(0.6), TimeSpan.FromSeconds(3)).FirstContentAfter(0.3))
            .Endpoint(name, ServiceModel.Fixed(TimeSpan.FromSeconds(1)))
            .Options(o => (o.Heartbeat.Enabled, o.TotalRequestTimeout.Timeout) = (true, TimeSpan.FromSeconds(20)))
            .Options(settings ?? (static _ => { }))
            .Parts(parts => parts.UseFlightRecorder(options))
            .Fault("e0", FakeFault.Refused, TimeSpan.FromMinutes(10), TimeSpan.FromMinutes(20))
            .FaultOfAll(FakeFault.Status(503), TimeSpan.FromMinutes(30), TimeSpan.FromMinutes(31))
            .Run(Workload.Poisson(2).OfTokens(300, 80), TimeSpan.FromHours(1));
    }

    private string File_(string name) => Path.Combine(_folder, name);

    [Fact]
    public async Task A_recording_is_shown_as_text_as_a_page_and_as_figures()
    {
        Record("<b>&");
        var (exitCode, output, _) = await ToolRun.RunAsync("record", "show", _folder, "--html", File_("day.html"), "--json", File_("day.json"));
        exitCode.Should().Be(0);
        output.Should().StartWith("test: 2025-01-01 00:00:0").And.Contain("ConnectFailed").And.Contain("e0: ").And.Contain("lost by: DeadlineExceeded");
        var page = await File.ReadAllTextAsync(File_("day.html"), TestContext.Current.CancellationToken);
        page.Should().Contain("&lt;b&gt;&amp;").And.NotContain("<b>&").And.NotContain("<script").And.NotContain("http://").And.NotContain("https://");
        using var figures = JsonDocument.Parse(await File.ReadAllTextAsync(File_("day.json"), TestContext.Current.CancellationToken));
        figures.RootElement.GetProperty("Whole").GetProperty("Calls").GetInt32().Should().BeInRange(7000, 7500);
        figures.RootElement.GetProperty("Endpoints")[1].GetProperty("OutShare").GetDouble().Should().BeApproximately(11 / 60.0, 0.03);
    }

    [Fact]
    public async Task The_same_settings_would_have_done_the_same()
    {
        Record();
        var (exitCode, output, error) = await ToolRun.RunAsync("replay", _folder, "--json", File_("same.json"));
        exitCode.Should().Be(0, output + error);
        using var figures = JsonDocument.Parse(await File.ReadAllTextAsync(File_("same.json"), TestContext.Current.CancellationToken));
        var actual = figures.RootElement.GetProperty("Actual").GetProperty("Availability").GetDouble();
        figures.RootElement.GetProperty("Forecast").GetProperty("Availability").GetDouble().Should().BeApproximately(actual, 0.002);
    }

    [Fact]
    public async Task Other_settings_are_told_beside_what_was_and_what_differs_is_named()
    {
        Record();
        var (exitCode, output, error) = await ToolRun.RunAsync("replay", _folder, "--set", "Retry:MaxRetryAttempts=0", "--set", "MaxWait=00:00:00");
        exitCode.Should().Be(0, output + error);
        output.Should().Contain("Retry:MaxRetryAttempts: none -> 0").And.Contain("nine times in ten from").And.Contain("attempts per call");
    }

    [Fact]
    public async Task A_standby_that_was_never_called_cannot_be_known()
    {
        Record("standby", static o => (o.Endpoints[2].Tier, o.Heartbeat.Enabled) = (9, false));
        await File.WriteAllTextAsync(File_("new.json"), """{ "Endpoints": [ { "Name": "fresh", "Address": "http://fresh.example/v1" } ] }""", TestContext.Current.CancellationToken);
        var (exitCode, output, _) = await ToolRun.RunAsync("replay", _folder, "--pool", File_("new.json"));
        exitCode.Should().Be(1);
        output.Should().Contain("cannot be known from this recording").And.Contain("fresh").And.Contain("it never answered in the recording");
    }

    [Theory]
    [InlineData("there is no recording", "record", "show", "/no/such/folder")]
    [InlineData("--day is 'noon'", "record", "show", "{0}", "--day", "noon")]
    [InlineData("NAME=VALUE is needed", "replay", "{0}", "--set", "fast")]
    [InlineData("cannot be used", "replay", "{0}", "--set", "Retry:MaxRetryAttempts=many")]
    [InlineData("A RECORDING or --trace is needed", "replay")]
    public async Task What_cannot_be_done_is_refused(string because, params string[] args)
    {
        Record();
        var (exitCode, output, error) = await ToolRun.RunAsync([.. args.Select(a => a == "{0}" ? _folder : a)]);
        exitCode.Should().Be(2, output);
        error.Should().ContainEquivalentOf(because);
    }

    [Fact]
    public async Task A_setting_that_cannot_be_converted_is_named_and_its_value_is_not_shown()
    {
        Record();
        var (exitCode, _, error) = await ToolRun.RunAsync("replay", _folder, "--set", "Retry:MaxRetryAttempts=hunter-two");
        exitCode.Should().Be(2);
        error.Should().Contain("Retry:MaxRetryAttempts has a value that cannot be converted").And.NotContain("hunter");
    }
}
