using System.Net;
using System.Text;
using HaKit.Faults;
using HaKit.Health;
using HaKit.Heartbeats;
using HaKit.Testing;

namespace HaKit.Tests.Heartbeats;

/// <summary>Tests the probe that compares one metric of a server's Prometheus page with a threshold.</summary>
public sealed class PrometheusProbeTests
{
    private const string Page = """
        # HELP mem The memory.
        # TYPE mem gauge
        mem{gpu="0"} 0.5
        mem{gpu="1",note="a } b, gpu=\"0\""} 0.75 1700000000000
        mem_total{gpu="0"} 9
        errors 3e2
        temperature -4
        idle NaN
        mixed{a="1"} NaN
        mixed{a="2"} 2
        mixed{a="3"} NaN
        full +Inf
        spaced {gpu="0"} 7
        tabbed	8
        lat_bucket{le="1"} 5 # {trace_id="x"} 0.67 1700000000.000
        lat_count 6 # {trace_id="y"} 0.5
        """;

    [Theory]
    [InlineData("mem", null, false, 0.75)]
    [InlineData("mem", "0", false, 0.5)]
    [InlineData("mem", "1", false, 0.75)]
    [InlineData("mem", "2", false, null)]
    [InlineData("mem", null, true, 1.25)]
    [InlineData("errors", null, false, 300.0)]
    [InlineData("temperature", null, false, -4.0)]
    [InlineData("idle", null, false, double.NaN)]
    [InlineData("mixed", null, false, 2.0)]
    [InlineData("mixed", null, true, 2.0)]
    [InlineData("full", null, false, double.PositiveInfinity)]
    [InlineData("spaced", "0", false, 7.0)]
    [InlineData("tabbed", null, false, 8.0)]
    [InlineData("lat_bucket", null, false, 5.0)]
    [InlineData("lat_count", null, false, 6.0)]
    [InlineData("me", null, false, null)]
    [InlineData("absent", null, false, null)]
    public void The_metric_is_found_among_all_series_and_by_its_labels(string metric, string? gpu, bool sum, double? expected)
    {
        var probe = new PrometheusProbe(metric, 1) { Sum = sum };
        if (gpu is not null)
            probe.Labels["gpu"] = gpu;
        foreach (var page in (string[])[Page, Page.ReplaceLineEndings("\r\n")])
            probe.Read(Encoding.UTF8.GetBytes(page)).Should().Be(expected);
    }

    [Theory]
    [InlineData("mem 0.9", false, 0.9)]
    [InlineData("mem 1", true, null)]
    [InlineData("mem 1.5", true, null)]
    [InlineData("mem +Inf", true, null)]
    [InlineData("mem -2", false, 0.0)]
    [InlineData("mem NaN", false, null)]
    [InlineData("other 0", true, null)]
    [InlineData("", true, null)]
    public async Task At_the_threshold_a_beat_is_a_miss_and_below_it_the_share_is_the_load(string page, bool isMiss, double? load)
    {
        using var http = new HttpMessageInvoker(new Pages(_ => page));
        await using var pool = new EndpointPool("p", new EndpointPoolOptions { Endpoints = [new() { Name = "a", Address = "http://gpu1:8000/v1" }], Heartbeat = { Enabled = false } });
        var context = new ProbeContext { Endpoint = pool.Endpoints[0], Http = http, Classifier = FaultClassifier.Default, Time = new ManualTimeProvider() };

        var result = await new PrometheusProbe("mem", 1).ProbeAsync(context, TestContext.Current.CancellationToken);

        (result.Fault is not null).Should().Be(isMiss);
        (result.Load?.CacheUsage).Should().Be(load);
        (result.Load is null).Should().Be(load is null);
    }

    [Fact]
    public async Task A_server_that_tells_too_much_load_is_ejected_and_comes_back()
    {
        var time = new ManualTimeProvider();
        var used = "0.2";
        using var http = new HttpMessageInvoker(new Pages(host => host == "gpu1" ? $"mem {used}\n" : "mem 0.1\n"));
        var options = new EndpointPoolOptions { Seed = 1, Heartbeat = { LearnTimeout = false } };
        options.Endpoints.Add(new EndpointOptions { Name = "gpu1", Address = "http://gpu1:8000/v1" });
        options.Endpoints.Add(new EndpointOptions { Name = "gpu2", Address = "http://gpu2:8000/v1" });
        var parts = new EndpointPoolParts { TimeProvider = time, ProbeHttp = http, Probe = static _ => new PrometheusProbe("mem", 0.97) };
        await using var pool = new EndpointPool("p", options, parts);

        time.Advance(TimeSpan.FromSeconds(60));
        StatusOf(pool).Should().Be(EndpointHealthStatus.Healthy);
        used = "0.99";
        time.Advance(TimeSpan.FromSeconds(60));
        StatusOf(pool).Should().Be(EndpointHealthStatus.Ejected);
        used = "0.2";
        time.Advance(TimeSpan.FromMinutes(10));
        StatusOf(pool).Should().Be(EndpointHealthStatus.Healthy);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void A_threshold_that_no_value_can_reach_or_every_value_does_is_refused(double threshold) =>
        FluentActions.Invoking(() => new PrometheusProbe("mem", threshold)).Should().Throw<ArgumentOutOfRangeException>();

    private static EndpointHealthStatus StatusOf(EndpointPool pool) => pool.Explain(RequestProfile.Default)[0].Health.Status;

    private sealed class Pages(Func<string, string> page) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromResult(new HttpResponseMessage(HttpStatusCode.OK) { Content = new StringContent(request.RequestUri!.AbsolutePath == "/metrics" ? page(request.RequestUri.Host) : "", Encoding.UTF8, "text/plain") });
    }
}
