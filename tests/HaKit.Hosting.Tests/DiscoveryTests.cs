using HaKit.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace HaKit.Hosting.Tests;

/// <summary>Tests endpoints that come from service discovery.</summary>
public sealed class DiscoveryTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact(Timeout = 60_000)]
    public async Task A_pool_has_one_endpoint_for_each_instance_and_follows_the_service()
    {
        await using var world = await World.StartAsync(instances: 2);

        world.Names.Should().BeEquivalentTo("models 127.0.0.1:9001", "models 127.0.0.1:9002");
        world.Pool.Endpoints[0].Address.Should().Be(new Uri("http://127.0.0.1:9001/v1"));
        world.Pool.Endpoints.Should().OnlyContain(e => e.Tier == 3, "the registration describes each endpoint");

        world.Instances("http://127.0.0.1:9002", "http://127.0.0.1:9003");
        await world.UntilAsync(() => world.Names.SequenceEqual(["models 127.0.0.1:9002", "models 127.0.0.1:9003"]));
    }

    [Fact(Timeout = 60_000)]
    public async Task A_pool_begins_empty_and_serves_once_an_instance_appears()
    {
        await using var server = await FakeAiServer.StartAsync(cancellationToken: Token);
        await using var world = await World.StartAsync(instances: 0);
        world.Names.Should().NotContain(n => n.Contains("127.0.0.1", StringComparison.Ordinal));

        world.Instances(server.Address.ToString());
        await world.UntilAsync(() => world.Names.Any(n => n.Contains("127.0.0.1", StringComparison.Ordinal)));
        using var http = world.Services.GetRequiredService<IHttpClientFactory>().CreateClient("llm");
        using var content = new StringContent("""{"model":"m","messages":[{"role":"user","content":"hi"}]}""", System.Text.Encoding.UTF8, "application/json");
        using var answer = await http.PostAsync("chat/completions", content, Token);

        answer.EnsureSuccessStatusCode();
        server.Counts.AnsweredWhole.Should().Be(1);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_reload_of_the_pools_configuration_removes_no_endpoint_that_discovery_or_code_added()
    {
        await using var world = await World.StartAsync(instances: 1, fromFile: true);
        world.Pool.AddEndpoint(new EndpointOptions { Name = "by code", Address = "http://127.0.0.1:9100/v1" });
        world.Names.Should().BeEquivalentTo("file", "by code", "models 127.0.0.1:9001");

        world.Configuration["Models:Endpoints:0:Name"] = "renamed";
        world.Configuration.Reload();

        await world.UntilAsync(() => world.Names.Contains("renamed"));
        world.Names.Should().BeEquivalentTo("renamed", "by code", "models 127.0.0.1:9001");
    }

    [Theory(Timeout = 60_000)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_instance_whose_strategies_could_not_be_built_is_tried_again_and_the_others_are_added_at_once(bool isLogBroken)
    {
        var time = new ManualTimeProvider();
        var failures = 2;
        await using var world = await World.StartAsync(instances: 3, configure: pool =>
        {
            pool.Services.AddSingleton<TimeProvider>(time);
            if (isLogBroken)
                pool.Services.AddSingleton<ILoggerProvider, BrokenLog>();
            pool.ConfigureEndpointPipeline((_, endpoint) =>
            {
                if (endpoint.Name.EndsWith(":9001", StringComparison.Ordinal) && failures-- > 0)
                    throw new InvalidOperationException("the store of certificates does not answer");
            });
        });
        world.Names.Should().BeEquivalentTo("models 127.0.0.1:9002", "models 127.0.0.1:9003");
        for (var i = 0; i < 2; i++)
        {
            time.Advance(TimeSpan.FromSeconds(5));
            await world.UntilAsync(() => failures < 1 - i);
        }
        await world.UntilAsync(() => world.Names.Length == 3);
    }

    [Fact]
    public void An_address_that_is_none_is_refused_at_once() =>
        new ServiceCollection().AddHaEndpointPool("models", _ => { }).Invoking(p => p.AddEndpointsFrom("models")).Should().Throw<ArgumentException>().WithMessage("*https+http://models/v1*");

    [Fact(Timeout = 60_000)]
    public async Task A_pool_that_begins_empty_has_no_outage_before_it_has_had_an_endpoint()
    {
        using var logs = new LogRecorder { MinimumLevel = LogLevel.Information };
        await using var pool = new EndpointPool("p", new EndpointPoolOptions { AllowEmpty = true, Heartbeat = { Enabled = false } }, new EndpointPoolParts { LoggerFactory = logs.CreateFactory() });
        pool.AddEndpoint(new EndpointOptions { Name = "a", Address = "http://127.0.0.1:9001/v1" });
        logs.Entries.Should().NotContain(e => e.Level >= LogLevel.Warning);

        pool.RemoveEndpoint("a");
        logs.Entries.Should().ContainSingle(e => e.Level == LogLevel.Critical, "now it is one");
    }

    [Fact(Timeout = 60_000)]
    public async Task An_empty_pool_without_discovery_is_still_a_mistake()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddHaEndpointPool("models", _ => { });
        using var host = builder.Build();

        await host.Invoking(h => h.StartAsync(Token)).Should().ThrowAsync<Microsoft.Extensions.Options.OptionsValidationException>().WithMessage("*Endpoints is empty*");
    }

    private sealed class BrokenLog : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => categoryName.StartsWith("HaKit", StringComparison.Ordinal) ? this : Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => throw new IOException("the disk is full");

        public void Dispose()
        {
        }
    }

    private sealed class World : IAsyncDisposable
    {
        private readonly IHost _host;
        private int _known;

        private World(IHost host, IConfigurationRoot configuration) => (_host, Configuration) = (host, configuration);

        public IConfigurationRoot Configuration { get; }

        public IServiceProvider Services => _host.Services;

        public EndpointPool Pool => _host.Services.GetRequiredKeyedService<EndpointPool>("models");

        public string[] Names => [.. Pool.Endpoints.Select(e => e.Name).Order(StringComparer.Ordinal)];

        public static async Task<World> StartAsync(int instances, bool fromFile = false, Action<IEndpointPoolBuilder>? configure = null)
        {
            var settings = Enumerable.Range(0, instances).Select(i => KeyValuePair.Create($"services:models:http:{i}", (string?)$"http://127.0.0.1:{9001 + i}"))
                .Append(new("Models:Heartbeat:Enabled", "false"))
                .Concat(fromFile ? [new("Models:Endpoints:0:Name", "file"), new("Models:Endpoints:0:Address", "http://127.0.0.1:9000/v1")] : []);
            var builder = Host.CreateEmptyApplicationBuilder(null);
            var configuration = new ConfigurationBuilder().AddInMemoryCollection(settings).Build();
            builder.Configuration.AddConfiguration(configuration);
            var pool = builder.Services.AddHaEndpointPool("models", configuration.GetSection("Models")).AddEndpointsFrom("https+http://models/v1", e => e.Tier = 3);
            builder.Services.AddHttpClient("llm").AddHaEndpointPoolHandler("models");
            configure?.Invoke(pool);
            var host = builder.Build();
            await host.StartAsync(Token);
            return new(host, configuration) { _known = instances };
        }

        public void Instances(params string[] addresses)
        {
            for (var i = 0; i < Math.Max(_known, addresses.Length); i++)
                Configuration[$"services:models:http:{i}"] = i < addresses.Length ? addresses[i] : null;
            _known = addresses.Length;
            Configuration.Reload();
        }

        public async Task UntilAsync(Func<bool> holds)
        {
            while (!holds())
                await Task.Delay(10, Token);
        }

        public async ValueTask DisposeAsync()
        {
            await _host.StopAsync(Token);
            _host.Dispose();
        }
    }
}
