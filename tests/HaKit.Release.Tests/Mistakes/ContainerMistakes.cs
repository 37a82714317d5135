using HaKit.AI;
using HaKit.Attempts;
using HaKit.Continuity;
using HaKit.Heartbeats;
using HaKit.Selection;
using HaKit.Testing;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using OpenAI;
using static HaKit.Release.Tests.Mistakes.NewcomerApplication;

namespace HaKit.Release.Tests.Mistakes;

/// <summary>Mistakes with the container and with calls: something registered twice, scoped services, options without a name, names that a pool does not have.</summary>
internal static class ContainerMistakes
{
    private const string Json = $$"""{ "chat": { "Endpoints": [ {{Good}} ] } }""";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static IEnumerable<Mistake> All { get; } =
    [
        new("the options of a pool without its name", () => UseAsync(p => p.GetRequiredService<IOptions<EndpointPoolOptions>>().Value), "without a name", "EndpointPoolOptions", "IOptionsMonitor<EndpointPoolOptions>"),
        new("the pool of a client of OpenAI's SDK registered before", () => WithUserAsync(s => s.AddHaOpenAIClient("chat", _ => { })), "'chat'", "AddHaEndpointPool", "AddHaOpenAIClient registers the pool"),
        new("the pool of a client of OpenAI's SDK registered after", () => SaysAsync(Json, b =>
        {
            b.Services.AddHaOpenAIClient("chat", b.Configuration.GetSection("chat"));
            b.Services.AddHaEndpointPool("chat", b.Configuration.GetSection("chat"));
        }), "'chat'", "AddHaEndpointPool", "AddHaOpenAIClient registers the pool"),
        new("an SDK with another address than the pool's", () => SaysAsync(Json, b => b.Services.AddHaOpenAIClient("chat", b.Configuration.GetSection("chat"), o => o.Endpoint = new("https://api.openai.com/v1")),
            p => p.GetRequiredService<OpenAIClient>().GetChatClient("any").CompleteChatAsync(["hi"], cancellationToken: Token)), "https://api.openai.com", "the pool's origin", "give the client the pool's Origin"),
        new("a base address without a slash at its end", () => WithPoolAsync($$"""{ "Endpoints": [ {{Good}} ] }""", use: async pool =>
        {
            using var http = pool.CreateHttpClient();
            http.BaseAddress = new("http://127.0.0.1:9/v1");
            using var answer = await http.GetAsync(new Uri("models", UriKind.Relative), Token);
        }), "path is outside", "http://127.0.0.1:9/v1", "ends with '/'"),
        new("two chat clients without keys", () => TwoPoolsAsync(s => s.AddHaChatClient("chat"), s => s.AddHaChatClient("images")), "'chat', 'images'", "AddHaChatClient", "AddKeyedHaChatClient"),
        new("two embedding generators without keys", () => TwoPoolsAsync(s => s.AddHaEmbeddingGenerator("chat"), s => s.AddHaEmbeddingGenerator("images")), "'chat', 'images'", "AddHaEmbeddingGenerator", "AddKeyedHaEmbeddingGenerator"),
        new("two health checks of a pool", () => WithUserAsync(s => s.AddHealthChecks().AddHaEndpointPoolCheck("chat").AddHaEndpointPoolCheck("chat", minimum: 1)), "'chat'", "AddHaEndpointPoolCheck", "once for each pool"),
        new("two health checks of a vault", () => WithUserAsync(s => s.AddHealthChecks().AddHaVaultCheck("state").AddHaVaultCheck("state")), "'state'", "AddHaVaultCheck", "once for each vault"),
        new("one webhook in two registrations", () => WithUserAsync(s => s.AddHaAlerts(a => a.AddWebhook(new Uri("https://alerts.example/planted"))).AddHaAlerts(a => a.AddWebhook(new Uri("https://alerts.example/planted")))), "the same webhook", "AddHaAlerts", "Call AddHaAlerts once"),
        new("one of two vaults asked for without a name", () => SaysAsync("{}", b =>
        {
            foreach (var name in (string[])["state", "logs"])
            {
                b.Services.AddHaVault(name, o =>
                {
                    o.Keys["1"] = Convert.ToBase64String(new byte[32]);
                    o.Destinations.Add(new() { Name = "disk", Folder = $"/tmp/hakit-nowhere-{name}" });
                });
            }
        }, p => Task.FromResult(p.GetRequiredService<Vault>())), "'state', 'logs'", "Vault", "GetRequiredKeyedService"),
        new("a chat client that remembers nothing", () => WithClientAsync(s => s.AddHaChatClient("chat", o => o.RememberedStates = 0)), "RememberedStates is 0", "chat client over pool 'chat'", "at least 1"),
        new("a chat client without a profile", () => WithClientAsync(s => s.AddHaChatClient("chat", o => o.Profile = null!)), "Profile is null", "chat client over pool 'chat'", "leave Profile at its default"),
        new("an embedding generator that sends no text", () => WithGeneratorAsync(o => o.MaxBatchSize = 0), "MaxBatchSize is 0", "embedding generator over pool 'chat'", "at least 1"),
        new("vectors without numbers", () => WithGeneratorAsync(o => o.Dimensions = 0), "Dimensions is 0", "embedding generator over pool 'chat'", "at least 1"),
        new("a credential for an endpoint with a client object", () => WithBuilderAsync(pool => pool.AddEndpoint("x", new FakeChatClient("x")).UseCredential("x", (_, _) => new("planted"))), "'x'", "UseCredential", "Give the key to the client"),
        new("a probe of an address for an endpoint without one", () => WithBuilderAsync(pool => pool.AddEndpoint("x", new FakeChatClient("x")).AddProbe("x", new HttpProbe("/health"))), "HttpProbe", "endpoint 'x'", "DelegateProbe"),
        new("a chat client of a scope", () => ScopedAsync(pool => pool.AddKeyedChatEndpoint("x")), "a scoped service", "endpoint 'x'", "as a singleton"),
        new("a service of a scope in a source of credentials", () => ScopedAsync(pool => pool.UseCredential("a", (provider, _) => new(provider.GetRequiredService<ScopedTokens>().ToString())), CallAsync), "a scoped service", "UseCredential of endpoint 'a'", "CreateAsyncScope"),
        new("a probe of an address in place of a path", () => RefusesAsync(() => Task.FromResult(new HttpProbe("http://127.0.0.1:9/health"))), "is an address", "HttpProbe", "'/health'"),
        new("a probe of a metric without a name", () => RefusesAsync(() => Task.FromResult(new PrometheusProbe("", 5))), "''", "PrometheusProbe", "Give the name itself"),
        new("a probe of a metric without a threshold", () => RefusesAsync(() => Task.FromResult(new PrometheusProbe("queue", 0))), "is 0", "PrometheusProbe", "above 0"),
        new("a recovery at an address that the configuration does not have", () => RefusesAsync(() => Task.FromResult(new WebhookRecovery(null!))), "no address", "WebhookRecovery", "An absolute http or https address"),
        new("a recovery at a placeholder", () => RefusesAsync(() => Task.FromResult(new WebhookRecovery(new Uri("https://recovery.example/<id>")))), "a placeholder", "WebhookRecovery", "Give the real address"),
        new("a recovery by a program without a name", () => RefusesAsync(() => Task.FromResult(new ProcessRecovery(" "))), "' '", "ProcessRecovery", "Give the name itself"),
        new("a client of an SDK for an endpoint without a name", () => RefusesAsync(() => Task.FromResult(new OpenAIClientOptions().UseHaEndpoint(""))), "''", "UseHaEndpoint", "Give the name itself"),
        new("functions that an endpoint's client calls", () => WithBuilderAsync(pool => pool.AddEndpoint("x", new FakeChatClient("x").AsBuilder().UseFunctionInvocation().Build())), "calls functions", "endpoint 'x'", "UseFunctionInvocation on the result of AddHaChatClient"),
        new("a tier that no endpoint has", () => WithPoolAsync($$"""{ "Endpoints": [ {{Good}} ] }""", use: pool => pool.PromoteAsync(5).AsTask()), "tier 5", "Pool 'chat'", "these tiers: 0"),
        new("the removal of the last endpoint", () => WithPoolAsync($$"""{ "Endpoints": [ {{Good}} ] }""", use: pool => Task.FromResult(pool.RemoveEndpoint("a"))), "'a' is its last endpoint", "Pool 'chat'", "AllowEmpty"),
        new("a call for an endpoint that the pool does not have", () => ExecuteAsync(new RequestProfile { Endpoints = ["gpt"] }), "'gpt'", "Pool 'chat'", "(the pool has 'a')"),
        new("a call for a model that no endpoint has", () => WithEndpointAsync("\"Model\": \"gpt-4o\"", pool => pool.ExecuteAsync(new RequestProfile { Model = "gpt-5" }, (_, _) => new ValueTask<int>(1), Token).AsTask()), "the model 'gpt-5'", "Pool 'chat'", "Model"),
        new("a call for vision that no endpoint has", () => WithEndpointAsync("\"Vision\": false", pool => pool.ExecuteAsync(new RequestProfile { Vision = true }, (_, _) => new ValueTask<int>(1), Token).AsTask()), "vision", "Pool 'chat'", "Vision"),
        new("a call of a pool that stays empty", () => WithPoolAsync("""{ "AllowEmpty": true }""", use: pool => pool.ExecuteAsync((_, _) => new ValueTask<int>(1), Token).AsTask()), "the pool has no endpoint", "Pool 'chat'", "Add one"),
        new("a selector that chooses too far", () => WithBuilderAsync(pool => pool.UseSelector<FarSelector>(), pool => pool.ExecuteAsync((_, _) => new ValueTask<int>(1), Token).AsTask()), "chose 5 of 1", "FarSelector", "an index from 0 to 0"),
        new("Redis with a key that no connection has", () => WithBuilderAsync(pool => pool.ShareThroughKeyedRedis("cache")), "'cache'", "ShareThroughKeyedRedis", "AddKeyedSingleton"),
        new("a comma before the port of Redis", () => WithBuilderAsync(pool => pool.ShareThroughRedis("redis,6379,password=planted")), "a port after a comma", "ShareThroughRedis", "a colon between host and port"),
        new("Redis at a wrong port", () => WithBuilderAsync(pool => pool.ShareThroughRedis("127.0.0.1:1,password=planted"), UntilLinkIsDownAsync), "was not reached yet", "'127.0.0.1:1'", "Correct host and port"),
        new("quotation marks around the connection string of Redis", () => WithBuilderAsync(pool => pool.ShareThroughRedis("\"redis:6379,password=planted\"")), "quotation marks", "ShareThroughRedis", "Remove"),
        new("fakes for a pool that is not registered", () => WithUserAsync(s => s.ReplaceHaEndpoints("chta", ("a", new FakeHttpEndpoint()))), "'chta'", "ReplaceHaEndpoints", "Did you mean 'chat'?"),
        new("a fake for a misspelt endpoint", () => WithUserAsync(s => s.ReplaceHaEndpoints("chat", ("aa", new FakeHttpEndpoint()))), "'aa'", "ReplaceHaEndpoints", "as the pool has them"),
        new("the success of a drill in percent", () => RefusesAsync(() => Task.FromResult(HaDrill.Run(new ServiceCollection().AddHaEndpointPool("chat", o => o.Endpoints.Add(new() { Name = "a", Address = "http://127.0.0.1:9/v1" })).Services, "chat", o => o.MinimumSuccess = 99))), "MinimumSuccess is 99", "options of the drill", "0 to 1"),
    ];

    private static Task<string> WithUserAsync(Action<IServiceCollection> add) => SaysAsync(Json, b =>
    {
        b.Services.AddHaEndpointPool("chat", b.Configuration.GetSection("chat"));
        add(b.Services);
    });

    private static Task<string> UseAsync<T>(Func<IServiceProvider, T> use) =>
        SaysAsync(Json, b => b.Services.AddHaEndpointPool("chat", b.Configuration.GetSection("chat")), provider => Task.FromResult(use(provider)));

    private static Task<string> WithBuilderAsync(Action<IEndpointPoolBuilder> more, Func<EndpointPool, Task>? use = null) => WithPoolAsync($$"""{ "Endpoints": [ {{Good}} ] }""", more, use ?? (pool => Task.FromResult(pool)));

    private static Task<string> ExecuteAsync(RequestProfile profile) =>
        WithPoolAsync($$"""{ "Endpoints": [ {{Good}} ] }""", use: pool => pool.ExecuteAsync(profile, (_, _) => new ValueTask<int>(1), Token).AsTask());

    private static Task<string> TwoPoolsAsync(Action<IServiceCollection> first, Action<IServiceCollection> second) => SaysAsync(Json, b =>
    {
        b.Services.AddHaEndpointPool("chat", b.Configuration.GetSection("chat"));
        b.Services.AddHaEndpointPool("images", b.Configuration.GetSection("chat"));
        first(b.Services);
        second(b.Services);
    });

    private static Task<string> WithClientAsync(Action<IServiceCollection> add) => SaysAsync("{}", b =>
    {
        b.Services.AddHaEndpointPool("chat", _ => { }).AddEndpoint("x", new FakeChatClient("x"));
        add(b.Services);
    }, p => Task.FromResult(p.GetRequiredService<IChatClient>()));

    private static Task<string> WithGeneratorAsync(Action<EndpointPoolEmbeddingOptions> configure) => SaysAsync("{}", b =>
    {
        b.Services.AddHaEndpointPool("chat", _ => { }).AddEndpoint("x", new FakeEmbeddingGenerator("x"));
        b.Services.AddHaEmbeddingGenerator("chat", configure);
    }, p => Task.FromResult(p.GetRequiredService<IEmbeddingGenerator<string, Embedding<float>>>()));

    // The container checks scopes in development.
    private static Task<string> ScopedAsync(Action<IEndpointPoolBuilder> more, Func<EndpointPool, Task>? use = null) => SaysAsync(Json, b =>
    {
        b.ConfigureContainer(new DefaultServiceProviderFactory(new ServiceProviderOptions { ValidateScopes = true }));
        b.Services.AddScoped<ScopedTokens>();
        b.Services.AddKeyedScoped<IChatClient>("x", (_, _) => new FakeChatClient("x"));
        more(b.Services.AddHaEndpointPool("chat", b.Configuration.GetSection("chat")));
    }, use is null ? null : provider => use(provider.GetRequiredService<EndpointPool>()));

    // Calls do not wait for the link, so only the log and the status show its problem.
    private static async Task UntilLinkIsDownAsync(EndpointPool pool)
    {
        while (pool.GetFleetStatus().Link!.Problem?.Contains("was not reached yet", StringComparison.Ordinal) != false)
            await Task.Delay(50, Token);
    }

    private static async Task CallAsync(EndpointPool pool)
    {
        using var http = pool.CreateHttpClient();
        http.DefaultRequestHeaders.Add("x-ha-deadline", "1");
        try
        {
            using var answer = await http.GetAsync(new Uri("models", UriKind.Relative), Token);
        }
        catch (EndpointPoolException refused) when (refused.InnerException is { } why)
        {
            throw why;
        }
    }

    private sealed class ScopedTokens
    {
        public override string ToString() => "planted";
    }

    private sealed class FarSelector : IEndpointSelector
    {
        public int Choose(RequestProfile profile, ReadOnlySpan<EndpointCandidate> candidates) => 5;
    }
}
