using HaKit.DependencyInjection;
using HaKit.Health;
using HaKit.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace HaKit.Tests.Http;

/// <summary>
/// Tests handlers that were used before the pool gets them. The runtime forbids a change of such a handler. This is a mistake of the configuration, which must
/// reach the caller, and must not count against an endpoint.
/// </summary>
public sealed class UsedHandlerTests
{
    private const string Whole = """{"choices":[{"index":0,"message":{"role":"assistant","content":"served"},"finish_reason":"stop"}]}""";
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Theory(Timeout = 60_000)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    [InlineData(false, false)]
    [InlineData(false, true)]
    public async Task Handler_that_follows_redirects_is_refused_at_once_and_counts_against_no_endpoint(bool sockets, bool keepsWarm)
    {
        using var server = new RawServer(new RawAnswer(200, "application/json", Whole));
        using var used = await UsedAsync(sockets ? new SocketsHttpHandler() : new HttpClientHandler(), server.Address);
        var options = Options(server.Address);
        options.Http.KeepStandbysWarm = keepsWarm;
        await using var pool = new EndpointPool("p", options, new EndpointPoolParts { TimeProvider = new ManualTimeProvider() });
        using var client = new HttpClient(new EndpointPoolHandler(pool) { InnerHandler = used }, disposeHandler: false) { BaseAddress = pool.BaseAddress() };

        for (var i = 0; i < 3; i++)
        {
            (await client.Awaiting(c => c.PostAsync("chat/completions", HttpPool.Chat("hi"), Ct)).Should().ThrowExactlyAsync<InvalidOperationException>("call {0}", i))
                .WithMessage("Pool 'p'*Set its AllowAutoRedirect to false*");
        }

        server.Seen.Should().ContainSingle("nothing was sent through the pool");
        var endpoint = pool.GetStatus().Endpoints.Should().ContainSingle().Subject;
        (endpoint.Health.Status, endpoint.Serves, endpoint.Attempts, endpoint.Faults).Should().Be((EndpointHealthStatus.Healthy, true, 0, 0));
    }

    [Fact(Timeout = 60_000)]
    public async Task Handler_without_redirects_is_taken_although_it_was_used()
    {
        using var server = new RawServer(new RawAnswer(200, "application/json", Whole));
        using var used = await UsedAsync(new SocketsHttpHandler { AllowAutoRedirect = false }, server.Address);
        await using var pool = new EndpointPool("p", Options(server.Address));
        using var client = new HttpClient(new EndpointPoolHandler(pool) { InnerHandler = used }, disposeHandler: false) { BaseAddress = pool.BaseAddress() };
        (await client.PostAsync("chat/completions", HttpPool.Chat("hi"), Ct)).Dispose();
        server.Seen.Should().HaveCount(2);
    }

    [Theory(Timeout = 60_000)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Handler_that_the_factory_gets_again_after_its_first_use_is_taken(bool sockets)
    {
        using var server = new RawServer(new RawAnswer(200, "application/json", Whole));
        using HttpMessageHandler shared = sockets ? new SocketsHttpHandler() : new HttpClientHandler();
        var services = Services(server.Address);
        foreach (var name in (string[])["one", "two"])
            services.AddHttpClient(name).ConfigurePrimaryHttpMessageHandler(() => shared).AddHaEndpointPoolHandler("p");
        await using var provider = services.BuildServiceProvider();
        foreach (var name in (string[])["one", "two"])
        {
            using var client = provider.GetRequiredService<IHttpClientFactory>().CreateClient(name);
            (await client.PostAsync("chat/completions", HttpPool.Chat("hi"), Ct)).Dispose();
        }

        server.Seen.Should().HaveCount(2);
    }

    [Theory(Timeout = 60_000)]
    [InlineData("before", "*was used before*Return a new handler*", typeof(InvalidOperationException))]
    [InlineData("after", "*already started one or more requests*", typeof(InvalidOperationException))] // the factory's own check
    [InlineData("wrapped", "*was used before*Set its AllowAutoRedirect to false*", typeof(InvalidOperationException))]
    [InlineData("throws", "*FormatException", typeof(FormatException))]
    public async Task Probe_of_a_client_with_a_mistake_uses_connections_of_its_own_and_logs_the_mistake_once(string kind, string logged, Type thrown)
    {
        using var server = new RawServer(new RawAnswer(200, "application/json", "{}"));
        using var used = await UsedAsync(new SocketsHttpHandler(), server.Address);
        var lines = new Lines();
        var services = Services(server.Address).AddSingleton<ILoggerFactory>(lines);
        var builder = services.AddHttpClient("c");
        if (kind == "before")
            builder.ConfigurePrimaryHttpMessageHandler(() => used).AddHaEndpointPoolHandler("p");
        else if (kind == "after")
            builder.AddHaEndpointPoolHandler("p").ConfigurePrimaryHttpMessageHandler(() => used);
        else if (kind == "wrapped")
            builder.AddHaEndpointPoolHandler("p").ConfigurePrimaryHttpMessageHandler(() => new Wrapping { InnerHandler = used });
        else
            builder.AddHaEndpointPoolHandler("p").ConfigurePrimaryHttpMessageHandler(static HttpMessageHandler () => throw new FormatException("sk-planted"));
        await using var provider = services.BuildServiceProvider();

        using var connections = new ClientConnections(provider, "c", TimeSpan.FromSeconds(2));
        using var probes = new HttpMessageInvoker(connections, disposeHandler: false);
        for (var i = 0; i < 2; i++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, server.Address);
            using var response = await probes.SendAsync(request, Ct);
            response.IsSuccessStatusCode.Should().BeTrue();
            connections.ReachesOtherwise(server.Address).Should().BeFalse();
        }

        var line = lines.All.Should().ContainSingle(l => l.Contains("Heartbeats cannot use the handlers of HTTP client c", StringComparison.Ordinal)).Subject;
        line.Should().Match(logged).And.NotContain("sk-planted");
        var call = async () =>
        {
            using var client = provider.GetRequiredService<IHttpClientFactory>().CreateClient("c");
            (await client.PostAsync("chat/completions", HttpPool.Chat("hi"), Ct)).Dispose();
        };
        (await call.Should().ThrowAsync<Exception>("calls tell the application about its mistake")).Which.Should().BeOfType(thrown);
    }

    private static async Task<HttpMessageHandler> UsedAsync(HttpMessageHandler handler, Uri address)
    {
        using var first = new HttpClient(handler, disposeHandler: false);
        (await first.GetAsync(address, Ct)).Dispose();
        return handler;
    }

    private static ServiceCollection Services(Uri address)
    {
        var services = new ServiceCollection();
        services.AddHaEndpointPool("p", options =>
        {
            var given = Options(address);
            (options.Seed, options.Heartbeat, options.Endpoints, options.TotalRequestTimeout) = (given.Seed, given.Heartbeat, given.Endpoints, given.TotalRequestTimeout);
        });
        return services;
    }

    private static EndpointPoolOptions Options(Uri address) => new()
    {
        Seed = 1,
        Heartbeat = { Enabled = false },
        TotalRequestTimeout = { Timeout = TimeSpan.FromSeconds(4) },
        Endpoints = { new EndpointOptions { Name = "e", Address = address.AbsoluteUri } },
    };

    private sealed class Wrapping : DelegatingHandler;
}
