using System.Text;
using HaKit.Heartbeats;

namespace HaKit.Tests.Heartbeats;

/// <summary>Tests that the load of a service is read while the service is busy, and that an old load is forgotten.</summary>
public sealed class ReportedLoadTests
{
    private int _running = 50;
    private bool _isDraining;

    private HeartbeatBench Services(HttpMessageInvoker http) => new(
        1,
        static o => (o.Heartbeat.Jitter, o.Endpoints[0].HealthPath) = (0, "/heartbeat"),
        parts => (parts.Probe, parts.ProbeHttp) = (null, http));

    private HttpMessageInvoker Http() => new(new Answering(() => new HttpResponseMessage(_isDraining ? System.Net.HttpStatusCode.ServiceUnavailable : System.Net.HttpStatusCode.OK)
    {
        Content = new StringContent($$"""{"schema":"hakit.heartbeat/1","status":"{{(_isDraining ? "draining" : "ready")}}","running":{{_running}},"waiting":0}""", Encoding.UTF8, "application/json"),
    }));

    private static async Task CallEachSecondAsync(HeartbeatBench bench, int seconds)
    {
        for (; seconds > 0; seconds--)
        {
            await bench.CallAsync(static _ => new("ok"));
            bench.Advance(1);
        }
    }

    private static ReportedLoad? Load(HeartbeatBench bench) => bench.Pool.Explain(RequestProfile.Default).Single(static e => e.Endpoint == "a").ReportedLoad;

    [Fact]
    public async Task Load_is_read_although_the_endpoint_is_busy_from_the_start()
    {
        using var http = Http();
        await using var bench = Services(http);
        await CallEachSecondAsync(bench, 30);
        Load(bench)!.Running.Should().Be(50);
    }

    [Fact]
    public async Task Load_is_read_at_every_heartbeat_after_a_change_of_the_pools_members()
    {
        using var http = Http();
        await using var bench = Services(http);
        bench.Advance(11);
        Load(bench)!.Running.Should().Be(50);
        bench.Pool.AddEndpoint(new EndpointOptions { Name = "b" });
        _running = 0;
        await CallEachSecondAsync(bench, 21);
        Load(bench)!.Running.Should().Be(0);
    }

    [Fact]
    public async Task Busy_service_that_drains_gets_no_calls_soon()
    {
        using var http = Http();
        await using var bench = Services(http);
        bench.Pool.AddEndpoint(new EndpointOptions { Name = "b" });
        await CallEachSecondAsync(bench, 5);
        _isDraining = true;
        await CallEachSecondAsync(bench, 21);
        bench.Health("a").Admits(bench.Time.Elapsed).Should().BeFalse();
    }

    [Fact]
    public async Task Plain_health_path_gets_no_heartbeats_while_its_endpoint_is_busy()
    {
        var asked = 0;
        using var http = new HttpMessageInvoker(new Answering(() =>
        {
            asked++;
            return new HttpResponseMessage(System.Net.HttpStatusCode.NotFound);
        }));
        await using var bench = Services(http);
        await CallEachSecondAsync(bench, 120);
        asked.Should().Be(1, "only the first heartbeat shows whether the path reports a load");
        bench.Status("a").Should().Be(HaKit.Health.EndpointHealthStatus.Healthy);
    }

    [Fact]
    public async Task Load_and_heartbeat_are_forgotten_when_heartbeats_are_switched_off()
    {
        using var http = Http();
        await using var bench = Services(http);
        bench.Advance(11);
        Load(bench).Should().NotBeNull();
        bench.Options.Heartbeat.Enabled = false;
        bench.Pool.Update(bench.Options);
        Load(bench).Should().BeNull();
        bench.Pool.Explain(RequestProfile.Default)[0].Heartbeat.Should().BeNull();
    }

    [Fact]
    public async Task Load_is_forgotten_when_another_probe_replaces_the_probe_that_read_it()
    {
        IProbe probe = new VllmMetricsProbe { Http = new HttpMessageInvoker(new Answering(static () => new HttpResponseMessage { Content = new StringContent("vllm:num_requests_running 50\n") })) };
        await using var bench = new HeartbeatBench(1, static o => o.Heartbeat.Jitter = 0, parts => parts.Probe = _ => probe);
        bench.Advance(11);
        Load(bench)!.Running.Should().Be(50);
        await bench.CallAsync(static _ => new("ok"));
        probe = new DelegateProbe(static (_, _) => default(ValueTask<ProbeResult>));
        bench.Pool.Update(bench.Options);
        Load(bench).Should().BeNull();
    }

    [Fact]
    public void Count_that_no_server_can_have_is_cut_to_a_million()
    {
        VllmMetricsProbe.Read("vllm:num_requests_running 1e30\nvllm:num_requests_waiting -7\n"u8).Should().Be(new ReportedLoad(1_000_000, 0, 0));
        ServiceHeartbeat.Read("""{"schema":"hakit.heartbeat/1","running":2147483647,"waiting":2147483647,"capacity":2147483647}"""u8)!.Value.Load
            .Should().Be(new ReportedLoad(1_000_000, 1_000_000, 0) { Capacity = 1_000_000 });
    }

    private sealed class Answering(Func<HttpResponseMessage> answer) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => Task.FromResult(answer());
    }
}
