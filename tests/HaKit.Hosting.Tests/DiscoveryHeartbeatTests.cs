using System.Collections.Concurrent;
using System.Diagnostics;
using HaKit.Health;
using HaKit.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace HaKit.Hosting.Tests;

/// <summary>Heartbeats reach the same servers as calls: names that only service discovery resolves.</summary>
public sealed class DiscoveryHeartbeatTests
{
    [Theory(Timeout = 60_000)]
    [InlineData("https+http")]
    [InlineData("http")]
    public async Task Endpoints_with_logical_names_stay_in_service_without_any_call(string scheme)
    {
        await using var app = await AspireApp.StartAsync(pool: options =>
        {
            options.Heartbeat.Enabled = true;
            options.Heartbeat.LearnTimeout = false;
            foreach (var endpoint in options.Endpoints)
                endpoint.Address = endpoint.Address!.Replace("https+http", scheme, StringComparison.Ordinal);
        });

        await BeatAsync(app, beats: 5);

        app.Pool.Explain(RequestProfile.Default).Should().OnlyContain(e => e.Health.Status == EndpointHealthStatus.Healthy && e.Heartbeat!.Fault == null);
        (await app.AskAsync(3)).Should().Be(3);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_logical_name_that_DNS_knows_too_is_asked_where_calls_go()
    {
        // As in Compose and Kubernetes, DNS resolves the name to a machine on which nothing listens at port 80, and service discovery resolves it to the
        // server.
        var name = Environment.MachineName;
        Assert.SkipUnless(!name.Contains('.', StringComparison.Ordinal) && System.Net.Dns.GetHostAddresses(name).Length > 0, "this machine's name has a dot, or is not known to DNS");
        await using var server = await FakeAiServer.StartAsync(cancellationToken: TestContext.Current.CancellationToken);
        await using var app = await AspireApp.StartAsync(pool: options =>
        {
            options.Heartbeat.Enabled = true;
            options.Heartbeat.LearnTimeout = false;
            options.Endpoints[0].Address = $"http://{name}/v1";
        }, settings: [new($"services:{name}:http:0", server.Address.ToString())]);

        await BeatAsync(app, beats: 5);

        app.Pool.Explain(RequestProfile.Default)[0].Health.Status.Should().Be(EndpointHealthStatus.Healthy);
        (await app.AskAsync(1)).Should().Be(1);
        server.Counts.AnsweredWhole.Should().Be(1);
    }

    [Fact(Timeout = 60_000)]
    public async Task Behind_a_proxy_or_connections_of_the_clients_own_heartbeats_go_the_way_of_calls()
    {
        var token = TestContext.Current.CancellationToken;
        await using var server = await FakeAiServer.StartAsync(cancellationToken: token);
        foreach (var primary in (SocketsHttpHandler[])[
            new() { Proxy = new System.Net.WebProxy(server.Address) },
            new() { ConnectCallback = async (_, cancelled) => new System.Net.Sockets.NetworkStream(await ConnectAsync(server.Address, cancelled), ownsSocket: true) }])
        {
            await using var app = await AspireApp.StartAsync(
                client: c => c.AddHaEndpointPoolHandler("models").ConfigurePrimaryHttpMessageHandler(() => primary),
                pool: options =>
                {
                    options.Heartbeat.Enabled = true;
                    options.Heartbeat.LearnTimeout = false;
                    foreach (var endpoint in options.Endpoints)
                        endpoint.Address = "http://127.0.0.1:9/v1"; // nothing listens there
                });

            await BeatAsync(app, beats: 5);

            app.Pool.Explain(RequestProfile.Default).Should().OnlyContain(e => e.Health.Status == EndpointHealthStatus.Healthy);
        }
    }

    private static async Task<System.Net.Sockets.Socket> ConnectAsync(Uri server, CancellationToken token)
    {
        var socket = new System.Net.Sockets.Socket(System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp);
        await socket.ConnectAsync(server.Host, server.Port, token);
        return socket;
    }

    [Theory(Timeout = 60_000)]
    [InlineData(null)]
    [InlineData("/health")]
    public async Task Probes_leave_no_line_in_the_log_of_the_HTTP_client_and_calls_do(string? path)
    {
        await using var app = await AspireApp.StartAsync(pool: options =>
        {
            options.Heartbeat.Enabled = true;
            options.Heartbeat.LearnTimeout = false;
            options.Heartbeat.Path = path;
        });

        await BeatAsync(app, beats: 3);
        app.Logs.Entries.Should().NotContain(e => e.Category.StartsWith("System.Net.Http.HttpClient", StringComparison.Ordinal));

        (await app.AskAsync(1)).Should().Be(1);
        app.Logs.Entries.Should().Contain(e => e.Category.StartsWith("System.Net.Http.HttpClient", StringComparison.Ordinal));
    }

    [Fact(Timeout = 60_000)]
    public async Task Probes_make_no_spans_of_their_own()
    {
        var spans = new ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = static source => source.Name is "System.Net.Http" or "HaKit",
            // Like the default sampler of OpenTelemetry: a span is not recorded if its trace is not recorded.
            Sample = static (ref ActivityCreationOptions<ActivityContext> o) => o.Parent == default || (o.Parent.TraceFlags & ActivityTraceFlags.Recorded) != 0 ? ActivitySamplingResult.AllDataAndRecorded : ActivitySamplingResult.PropagationData,
            ActivityStopped = activity => { if (activity.Recorded) spans.Enqueue(activity); },
        };
        ActivitySource.AddActivityListener(listener);
        await using var app = await AspireApp.StartAsync(pool: options =>
        {
            options.Heartbeat.Enabled = true;
            options.Heartbeat.Path = "/health";
        });
        var ports = app.Servers.Select(s => (object)s.Address.Port).ToHashSet();

        await BeatAsync(app, beats: 3);

        spans.Where(s => s.TagObjects.Any(t => t.Key == "server.port" && ports.Contains(t.Value!))).Should().BeEmpty();
        app.Servers.Sum(s => s.Counts.Probes).Should().BePositive();
    }

    // The time does not advance while a heartbeat is running, so the result does not depend on the load of the machine.
    private static async Task BeatAsync(AspireApp app, int beats)
    {
        for (var i = 0; i < beats; i++)
        {
            var before = app.Time.Elapsed;
            for (var step = 0; step < 12; step++)
            {
                app.Time.Advance(TimeSpan.FromSeconds(1));
                await Task.Delay(50, TestContext.Current.CancellationToken);
            }
            app.Pool.Explain(RequestProfile.Default).Should().OnlyContain(e => e.Heartbeat != null && e.Heartbeat.At > before);
        }
    }
}
