using HaKit.Http;
using Microsoft.Extensions.DependencyInjection;

namespace HaKit.Tests.Http;

/// <summary>
/// Tests, over real sockets, that a redirect takes no credential and no prompt to another server, for every configuration of the inner handlers.
/// </summary>
public sealed class RedirectTests
{
    private const string Whole = """{"choices":[{"index":0,"message":{"role":"assistant","content":"served"},"finish_reason":"stop"}]}""";
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private static readonly int[] s_statuses = [301, 302, 303, 307, 308];

    public static MatrixTheoryData<int, string, string> Elsewhere() => new(
        s_statuses,
        ["http://127.0.0.1:{other}/v1/chat/completions", "//127.0.0.1:{other}/v1/x", "http://{own}@127.0.0.1:{other}/v1", "https://127.0.0.1:{own}/v1/x", "http://localhost:{other}/"],
        ["pool's own", "factory before", "factory after"]);

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(Elsewhere))]
    public async Task To_another_server_it_is_refused(int status, string location, string client)
    {
        using var other = new RawServer(new RawAnswer(200, "application/json", Whole));
        RawServer? self = null;
        using var redirecting = new RawServer(_ => new RawAnswer(status, null, "")
        {
            Headers = [("Location", location.Replace("{other}", $"{other.Address.Port}", StringComparison.Ordinal).Replace("{own}", $"{self!.Address.Port}", StringComparison.Ordinal))],
        });
        self = redirecting;
        using var well = new RawServer(new RawAnswer(200, "application/json", Whole));
        await using var world = new World(client, redirecting.Address, well.Address);
        (await world.AskAsync()).Should().Be(Whole);
        other.Seen.Should().BeEmpty();
        redirecting.Seen.Should().ContainSingle();
        well.Seen.Should().ContainSingle();
    }

    public static MatrixTheoryData<int, string> Within() => new([307, 308], ["/v1/moved", "moved", "http://127.0.0.1:{own}/elsewhere/moved", "//127.0.0.1:{own}/v1/moved", "?x=/moved"]);

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(Within))]
    public async Task Within_the_server_it_is_followed_with_method_and_body(int status, string location)
    {
        RawServer? self = null;
        using var redirecting = new RawServer(request => request.Target.EndsWith("/moved", StringComparison.Ordinal)
            ? new RawAnswer(200, "application/json", Whole)
            : new RawAnswer(status, null, "") { Headers = [("Location", location.Replace("{own}", $"{self!.Address.Port}", StringComparison.Ordinal))] });
        self = redirecting;
        await using var world = new World("pool's own", redirecting.Address);
        (await world.AskAsync()).Should().Be(Whole);
        redirecting.Seen.Select(r => (r.Method, r.Body)).Distinct().Should().ContainSingle();
    }

    [Theory(Timeout = 60_000)]
    [InlineData("/v1/chat/completions")]
    [InlineData("/v1/chat/completions?again")]
    [InlineData("{counting}")]
    public async Task A_loop_costs_at_most_five_requests_of_a_call(string location)
    {
        var count = 0;
        var servers = Enumerable.Range(0, 2).Select(_ => new RawServer(_ => new RawAnswer(307, null, "")
        {
            Headers = [("Location", location == "{counting}" ? $"/v1/{Interlocked.Increment(ref count)}" : location)],
        })).ToArray();
        foreach (var used in new[] { 1, 2 })
        {
            foreach (var server in servers)
                server.Seen.Clear();
            await using var world = new World("pool's own", [.. servers.Take(used).Select(s => s.Address)]);
            await FluentActions.Awaiting(world.AskAsync).Should().ThrowAsync<EndpointPoolException>();
            servers.Sum(s => s.Seen.Count).Should().BeLessThanOrEqualTo(5);
        }
        foreach (var server in servers)
            server.Dispose();
    }

    [Fact(Timeout = 60_000)]
    public async Task An_endpoint_that_redirects_each_request_serves_after_its_outage()
    {
        var failures = 4;
        using var server = new RawServer(request => request switch
        {
            { Target: "/v1/chat/completions" } => new RawAnswer(307, null, "") { Headers = [("Location", "/v1/chat/completions/")] },
            _ when Interlocked.Decrement(ref failures) >= 0 => new RawAnswer(503, "application/json", "{}"),
            _ => new RawAnswer(200, "application/json", Whole),
        });
        await using var world = new World("pool's own", server.Address);
        (await world.AskAsync()).Should().Be(Whole);
    }

    private static EndpointPoolOptions Options(params Uri[] addresses)
    {
        var options = new EndpointPoolOptions { Seed = 1, Heartbeat = { Enabled = false }, TotalRequestTimeout = { Timeout = TimeSpan.FromSeconds(4) } };
        for (var i = 0; i < addresses.Length; i++)
            options.Endpoints.Add(new EndpointOptions { Name = $"e{i}", Address = addresses[i].AbsoluteUri, Tier = i, Headers = { ["api-key"] = "sk-planted" } });
        return options;
    }

    /// <summary>A pool under a client that is configured in one of the possible orders.</summary>
    private sealed class World : IAsyncDisposable
    {
        private readonly EndpointPool? _pool;
        private readonly ServiceProvider? _provider;
        private readonly HttpClient _client;

        public World(string kind, params Uri[] addresses)
        {
            if (kind == "pool's own")
            {
                _pool = new EndpointPool("p", Options(addresses));
                _client = _pool.CreateHttpClient();
                return;
            }
            var services = new ServiceCollection();
            services.AddHaEndpointPool("p", options =>
            {
                var given = Options(addresses);
                (options.Seed, options.Heartbeat, options.Endpoints, options.TotalRequestTimeout) = (given.Seed, given.Heartbeat, given.Endpoints, given.TotalRequestTimeout);
            });
            var builder = services.AddHttpClient("c");
            if (kind == "factory before")
                builder.ConfigurePrimaryHttpMessageHandler(() => new HttpClientHandler { AllowAutoRedirect = true }).AddHaEndpointPoolHandler("p");
            else
                builder.AddHaEndpointPoolHandler("p").ConfigurePrimaryHttpMessageHandler(() => new SocketsHttpHandler { AllowAutoRedirect = true });
            _provider = services.BuildServiceProvider();
            _client = _provider.GetRequiredService<IHttpClientFactory>().CreateClient("c");
        }

        public async Task<string> AskAsync()
        {
            using var response = await _client.PostAsync("chat/completions", HttpPool.Chat("hi"), Ct);
            return await response.Content.ReadAsStringAsync(Ct);
        }

        public async ValueTask DisposeAsync()
        {
            _client.Dispose();
            if (_pool is not null)
                await _pool.DisposeAsync();
            if (_provider is not null)
                await _provider.DisposeAsync();
        }
    }
}
