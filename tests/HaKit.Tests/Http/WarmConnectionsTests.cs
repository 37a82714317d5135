using System.Collections.Concurrent;
using System.Net.Sockets;
using HaKit.Testing;

namespace HaKit.Tests.Http;

public sealed class WarmConnectionsTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_standby_that_is_kept_warm_needs_no_new_connection_when_it_is_needed(bool warm)
    {
        var touches = new ConcurrentQueue<FakeRequest>();
        await using var first = await FakeAiServer.StartAsync(cancellationToken: Ct);
        await using var standby = await FakeAiServer.StartAsync(new FakeAiOptions { Observe = touches.Enqueue }, cancellationToken: Ct);
        var options = new EndpointPoolOptions { Seed = 1, Http = { KeepStandbysWarm = warm }, Heartbeat = { Enabled = false } };
        options.Endpoints.Add(new EndpointOptions { Name = "first", Address = first.OpenAIAddress.ToString(), Credential = "secret" });
        options.Endpoints.Add(new EndpointOptions { Name = "standby", Address = standby.OpenAIAddress.ToString(), Credential = "secret", Tier = 1 });
        await using var pool = new EndpointPool("p", options);
        var connections = new ConcurrentQueue<int>();
        using var sockets = new SocketsHttpHandler
        {
            ConnectCallback = async (context, token) =>
            {
                connections.Enqueue(context.DnsEndPoint.Port);
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                await socket.ConnectAsync(context.DnsEndPoint, token);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        var counting = new Counting(sockets);
        using var client = new HttpClient(new EndpointPoolHandler(pool) { InnerHandler = counting }) { BaseAddress = pool.BaseAddress(), Timeout = Timeout.InfiniteTimeSpan };

        (await AskAsync()).Should().Be("first");
        while (warm && counting.Answered < 2)
            await Task.Delay(1, Ct);
        connections.Count(p => p == standby.Address.Port).Should().Be(warm ? 1 : 0);
        await first.StopAsync();
        (await AskAsync()).Should().Be("standby");

        connections.Count(p => p == standby.Address.Port).Should().Be(1);
        touches.Where(t => t.Method == "HEAD").Select(t => t.ApiKey).Should().Equal(warm ? [null] : Array.Empty<string?>(), "a connection needs no credential");

        async Task<string> AskAsync()
        {
            using var response = await client.PostAsync("chat/completions", HttpPool.Chat("hi"), Ct);
            response.RequestMessage!.Options.TryGetValue(EndpointPoolHandler.DetailKey, out var detail);
            return detail!.Endpoint;
        }
    }

    [Fact]
    public async Task Connections_are_kept_warm_once_in_thirty_seconds_and_a_dead_standby_disturbs_nobody()
    {
        await using var http = new HttpPool(3, o => o.Http.KeepStandbysWarm = true);
        http.Fakes[2].Faults.Always(FakeFault.Hang, r => r.Method == "HEAD");
        for (var i = 0; i < 5; i++)
            await http.ReadAsync(HttpPool.Chat("hi"));
        http.Sent.Count(r => r.Method == HttpMethod.Head).Should().Be(3);
        http.Time.Advance(TimeSpan.FromSeconds(30));
        await http.ReadAsync(HttpPool.Chat("hi"));
        http.Sent.Count(r => r.Method == HttpMethod.Head).Should().Be(6);
        http.Time.Advance(TimeSpan.FromMinutes(1));
        http.Open.Should().Be(0);
    }

    /// <summary>Counts the answers to HEAD requests. When an answer is counted, its connection is free again.</summary>
    private sealed class Counting(HttpMessageHandler inner) : DelegatingHandler(inner)
    {
        private int _answered;

        public int Answered => Volatile.Read(ref _answered);

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var response = await base.SendAsync(request, cancellationToken);
            if (request.Method == HttpMethod.Head)
                Interlocked.Increment(ref _answered);
            return response;
        }
    }
}
