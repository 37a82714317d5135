using HaKit.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace HaKit.Tests.Http;

/// <summary>Tests the pool among the handlers of an <see cref="IHttpClientFactory"/>.</summary>
public sealed class HttpClientBuilderTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_handler_outside_sees_a_call_and_one_inside_each_attempt()
    {
        var (calls, attempts) = (new List<string>(), new List<string>());
        await using var world = new World();
        world.Client("c").AddHttpMessageHandler(() => new Noting(calls)).AddHaEndpointPoolHandler("p").AddHttpMessageHandler(() => new Noting(attempts)).ConfigurePrimaryHttpMessageHandler(() => world.Network);
        world.Fakes[0].Faults.Always(FakeFault.Status(500));

        await world.AskAsync("c");

        calls.Should().Equal("http://a.test/v1/chat/completions");
        attempts.Should().Equal("http://a.test/v1/chat/completions", "http://b.test/v1/chat/completions");
    }

    [Fact]
    public async Task What_one_handler_learned_the_next_one_knows()
    {
        await using var world = new World(o => o.Retry.MaxRetryAttempts = 1);
        foreach (var name in (string[])["one", "two"])
            world.Client(name).AddHaEndpointPoolHandler("p").ConfigurePrimaryHttpMessageHandler(() => world.Network);
        world.Fakes[0].Faults.Always(FakeFault.Refused);
        for (var i = 0; i < 3; i++)
            await world.AskAsync("one");
        var asked = world.Fakes[0].Counts.Received;

        for (var i = 0; i < 5; i++)
            await world.AskAsync("two");

        world.Fakes[0].Counts.Received.Should().Be(asked, "it was ejected through the other handler");
    }

    [Fact]
    public async Task Failure_31_a_handler_outside_that_repeats_a_call_is_noticed_once()
    {
        var lines = new Lines();
        await using var world = new World(o => o.Retry.MaxRetryAttempts = 0, lines);
        world.Client("c").AddHttpMessageHandler(() => new Repeating()).AddHaEndpointPoolHandler("p").ConfigurePrimaryHttpMessageHandler(() => world.Network);
        foreach (var fake in world.Fakes)
            fake.Faults.Next(2, FakeFault.Status(500));

        await world.AskAsync("c");
        await world.AskAsync("c");

        lines.All.Count(l => l.Contains("the code above the pool repeats a request", StringComparison.Ordinal)).Should().Be(1);
    }

    [Fact]
    public async Task Connections_are_fitted_to_long_calls_and_what_was_set_is_left()
    {
        SocketsHttpHandler? plain = null, own = null;
        await using var world = new World(o => o.ConnectTimeout = TimeSpan.FromSeconds(3));
        world.Client("plain").AddHaEndpointPoolHandler("p").ConfigurePrimaryHttpMessageHandler((handler, _) => plain = (SocketsHttpHandler)handler);
        world.Client("own").UseSocketsHttpHandler((handler, _) =>
        {
            handler.ConnectTimeout = TimeSpan.FromSeconds(7);
            handler.KeepAlivePingDelay = TimeSpan.FromSeconds(8);
        }).AddHaEndpointPoolHandler("p").ConfigurePrimaryHttpMessageHandler((handler, _) => own = (SocketsHttpHandler)handler);

        using var client = world.Factory.CreateClient("plain");
        using var other = world.Factory.CreateClient("own");

        (client.Timeout, client.BaseAddress).Should().Be((Timeout.InfiniteTimeSpan, new Uri("http://a.test/v1/")));
        foreach (var handler in (SocketsHttpHandler[])[plain!, own!])
        {
            (handler.AllowAutoRedirect, handler.UseCookies, handler.EnableMultipleHttp2Connections).Should().Be((false, false, true));
            handler.ResponseDrainTimeout.Should().Be(TimeSpan.Zero);
        }
        (plain!.ConnectTimeout, plain.KeepAlivePingDelay, plain.KeepAlivePingTimeout).Should().Be((TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(10)));
        plain.PooledConnectionLifetime.Should().BePositive().And.BeLessThanOrEqualTo(TimeSpan.FromMinutes(5), "a changed address must be seen");
        (own!.ConnectTimeout, own.KeepAlivePingDelay).Should().Be((TimeSpan.FromSeconds(7), TimeSpan.FromSeconds(8)));
    }

    // A timeout of the client would end healthy streams, wherever it is set.
    [Theory]
    [InlineData("defaults")]
    [InlineData("before")]
    [InlineData("after")]
    [InlineData("typed")]
    public async Task Failure_32_no_client_over_a_pool_has_a_timeout_of_its_own(string kind)
    {
        var services = new ServiceCollection();
        services.AddHaEndpointPool("p", static o => o.Endpoints.Add(new EndpointOptions { Name = "a", Address = "http://a.test/v1" }));
        if (kind == "defaults")
            services.ConfigureHttpClientDefaults(static b => b.ConfigureHttpClient(Shorten));
        var client = kind == "typed" ? services.AddHttpClient<Typed>("c", Shorten) : services.AddHttpClient("c");
        if (kind == "before")
            client.ConfigureHttpClient(Shorten);
        client.AddHaEndpointPoolHandler("p");
        if (kind == "after")
            client.ConfigureHttpClient(Shorten);
        await using var provider = services.BuildServiceProvider();
        var made = kind == "typed" ? provider.GetRequiredService<Typed>().Http : provider.GetRequiredService<IHttpClientFactory>().CreateClient("c");
        made.Timeout.Should().Be(Timeout.InfiniteTimeSpan);

        static void Shorten(HttpClient http) => http.Timeout = TimeSpan.FromSeconds(30);
    }

    private sealed class Typed(HttpClient http)
    {
        public HttpClient Http => http;
    }

    private sealed class World : IAsyncDisposable
    {
        private readonly ServiceCollection _services = [];
        private ServiceProvider? _provider;

        public World(Action<EndpointPoolOptions>? configure = null, ILoggerFactory? loggers = null)
        {
            if (loggers is not null)
                _services.AddSingleton(loggers);
            _services.AddHaEndpointPool("p", options =>
            {
                options.Heartbeat.Enabled = false;
                options.Seed = 1;
                for (var i = 0; i < Fakes.Length; i++)
                    options.Endpoints.Add(new EndpointOptions { Name = Fakes[i].Name, Address = $"http://{Fakes[i].Name}.test/v1", Tier = i });
                configure?.Invoke(options);
            });
            foreach (var fake in Fakes)
                Network.Add(new Uri($"http://{fake.Name}.test/v1"), fake);
        }

        public FakeHttpEndpoint[] Fakes { get; } = [new(new FakeAiOptions { Name = "a" }), new(new FakeAiOptions { Name = "b" })];

        public FakeHttpNetwork Network { get; } = new();

        public IHttpClientFactory Factory => (_provider ??= _services.BuildServiceProvider()).GetRequiredService<IHttpClientFactory>();

        public IHttpClientBuilder Client(string name) => _services.AddHttpClient(name);

        public async Task AskAsync(string client)
        {
            using var http = Factory.CreateClient(client);
            using var response = await http.PostAsync("chat/completions", HttpPool.Chat("hi"), Ct);
            response.EnsureSuccessStatusCode();
        }

        public async ValueTask DisposeAsync()
        {
            if (_provider is not null)
                await _provider.DisposeAsync();
        }
    }

    private sealed class Noting(List<string> seen) : DelegatingHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            seen.Add(request.RequestUri!.AbsoluteUri);
            return base.SendAsync(request, cancellationToken);
        }
    }

    /// <summary>Retries like a typical handler of an application: it sends the same message again.</summary>
    private sealed class Repeating : DelegatingHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            while (true)
            {
                try
                {
                    return await base.SendAsync(request, cancellationToken);
                }
                catch (NoEndpointAvailableException)
                {
                }
            }
        }
    }
}
