using HaKit.Health;
using HaKit.Heartbeats;
using HaKit.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace HaKit.Tests.Heartbeats;

public sealed class DefaultProbeTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task Endpoints_with_a_health_path_are_asked_for_it_over_the_pools_connections()
    {
        var time = new ManualTimeProvider();
        var paths = new List<string>();
        var fake = new FakeHttpEndpoint(new FakeAiOptions { Time = time, Observe = r => paths.Add(r.Path) });
        using var http = new HttpMessageInvoker(new FakeHttpNetwork().Add(new Uri("http://gpu1:8000"), fake));
        var options = new EndpointPoolOptions { Heartbeat = { Path = "/ready/health" } };
        options.Endpoints.Add(new EndpointOptions { Name = "own", Address = "http://gpu1:8000/v1", HealthPath = "/own/health" });
        options.Endpoints.Add(new EndpointOptions { Name = "pools", Address = "http://gpu1:8000/v1" });
        options.Endpoints.Add(new EndpointOptions { Name = "client object" });
        await using var pool = new EndpointPool("p", options, new EndpointPoolParts { TimeProvider = time, ProbeHttp = http });
        time.Advance(TimeSpan.FromSeconds(12));
        paths.Distinct().Should().BeEquivalentTo("/own/health", "/ready/health");
        pool.Explain(RequestProfile.Default).Select(e => e.Heartbeat?.Fault is null && e.Heartbeat is not null).Should().Equal(true, true, false);
    }

    public static TheoryData<string, IProbe> ProbesOfAddresses => new()
    {
        { "tcp", new TcpProbe() }, { "http", new HttpProbe("/health") }, { "models", new ModelsProbe() }, { "completion", new CompletionProbe() },
        { "vllm", new VllmMetricsProbe() }, { "prometheus", new PrometheusProbe("queue", 5) },
    };

    [Theory]
    [MemberData(nameof(ProbesOfAddresses), DisableDiscoveryEnumeration = true)]
    public async Task A_probe_of_an_address_does_not_eject_an_endpoint_without_one(string name, IProbe probe)
    {
        var time = new ManualTimeProvider();
        var lines = new LogRecorder();
        var options = new EndpointPoolOptions { Heartbeat = { SparingInterval = TimeSpan.FromSeconds(10) } };
        options.Endpoints.Add(new EndpointOptions { Name = "a" });
        options.Endpoints.Add(new EndpointOptions { Name = "b" });
        await using var pool = new EndpointPool("p", options, new EndpointPoolParts { TimeProvider = time, LoggerFactory = lines.CreateFactory(), Probe = e => e.Name == "a" ? probe : null });

        time.Advance(TimeSpan.FromMinutes(5));

        pool.GetStatus().Endpoints.Should().OnlyContain(e => e.Health.Status == EndpointHealthStatus.Healthy, "of the probe {0}", name);
        lines.Entries.Should().ContainSingle(l => l.Message.Contains("needs an address", StringComparison.Ordinal)).Which.Message.Should().Contain("endpoint 'a'");
    }

    [Fact]
    public async Task A_killed_server_is_ejected_and_comes_back_by_the_default_heartbeat_alone()
    {
        // The test uses real sockets and real time, but its result does not depend on durations.
        await using var server = await FakeAiServer.StartAsync(cancellationToken: Ct);
        await using var other = await FakeAiServer.StartAsync(cancellationToken: Ct);
        var options = new EndpointPoolOptions { Heartbeat = { Interval = TimeSpan.FromMilliseconds(50), Timeout = TimeSpan.FromMilliseconds(50), MinTimeout = TimeSpan.FromMilliseconds(50), LearnTimeout = false } };
        options.Endpoints.Add(new EndpointOptions { Name = "a", Address = server.OpenAIAddress.AbsoluteUri });
        options.Endpoints.Add(new EndpointOptions { Name = "b", Address = other.OpenAIAddress.AbsoluteUri });
        await using var pool = new EndpointPool("p", options);
        using var subscription = pool.Events.Subscribe(10_000);
        await server.KillAsync();
        await foreach (var happened in subscription.WithCancellation(Ct))
        {
            if (happened is EndpointEjected { Endpoint: "a" })
                await server.RestartAsync(Ct);
            if (happened is EndpointRecovered { Endpoint: "a" })
                break;
        }
    }

    [Fact]
    public async Task Probes_and_actions_are_added_to_a_pool_of_the_container()
    {
        var services = new ServiceCollection();
        var time = new ManualTimeProvider();
        services.AddSingleton<TimeProvider>(time);
        var asked = new List<string>();
        var ejected = new List<string>();
        services.AddHaEndpointPool("p", o =>
            {
                o.Endpoints.Add(new EndpointOptions { Name = "a" });
                o.Endpoints.Add(new EndpointOptions { Name = "b" });
            })
            .AddProbe("a", new DelegateProbe((_, _) => { asked.Add("a's own"); return ValueTask.FromResult(false); }))
            .AddProbe(e => new DelegateProbe((_, _) => { asked.Add(e.Name); return ValueTask.FromResult(true); }))
            .OnEjected((evidence, _) => { ejected.Add(evidence.Endpoint.Name); return default; });
        await using var provider = services.BuildServiceProvider();
        var pool = provider.GetRequiredKeyedService<EndpointPool>("p");
        time.Advance(TimeSpan.FromSeconds(35));
        asked.Distinct().Should().BeEquivalentTo("a's own", "b");
        ejected.Should().Equal("a");
        pool.Explain(RequestProfile.Default)[0].Health.Status.Should().Be(EndpointHealthStatus.Ejected);
    }

    [Theory]
    [InlineData("https+http://models/v1?key=k-secret", "https+http://models/v1")]
    [InlineData("http://models.test/v1/?key=k-secret&a=b", "http://models.test/v1/")]
    [InlineData("http://models.test", "http://models.test/")]
    public async Task Head_request_of_the_probe_without_credentials_has_no_query_because_a_query_may_hold_a_key(string address, string asked)
    {
        Uri? target = null;
        using var http = new HttpMessageInvoker(new Answering(request => target = request.RequestUri));
        var endpoint = new EndpointOptions { Name = "a", Address = address };
        await using var pool = new EndpointPool("p", new EndpointPoolOptions { Endpoints = [endpoint], Heartbeat = { Enabled = false } });
        var context = new ProbeContext { Endpoint = pool.Endpoints[0], Http = http, Classifier = HaKit.Faults.FaultClassifier.Default, Time = TimeProvider.System, ReachesOtherwise = static _ => true };
        (await new TcpProbe().ProbeAsync(context, Ct)).Fault.Should().BeNull();
        target!.AbsoluteUri.Should().Be(asked);
    }

    private sealed class Answering(Action<HttpRequestMessage> observe) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            observe(request);
            return Task.FromResult(new HttpResponseMessage());
        }
    }
}
