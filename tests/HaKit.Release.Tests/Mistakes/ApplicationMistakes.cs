using HaKit.AI;
using HaKit.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Polly;
using static HaKit.Release.Tests.Mistakes.NewcomerApplication;

namespace HaKit.Release.Tests.Mistakes;

/// <summary>Mistakes in the code of an application: registrations, calls, routes.</summary>
internal static class ApplicationMistakes
{
    private const string Json = $$"""{ "chat": { "Endpoints": [ {{Good}} ] } }""";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static IEnumerable<Mistake> All { get; } =
    [
        new("a chat client over a pool that is not registered", () => WithUserAsync(s => s.AddHaChatClient("chta")), "'chta'", "AddHaChatClient", "Did you mean 'chat'?"),
        new("a keyed chat client over a pool that is not registered", () => WithUserAsync(s => s.AddKeyedHaChatClient("fast", "chta")), "'chta'", "AddKeyedHaChatClient", "Did you mean 'chat'?"),
        new("an embedding generator over a pool that is not registered", () => WithUserAsync(s => s.AddHaEmbeddingGenerator("vectors")), "'vectors'", "AddHaEmbeddingGenerator", "AddHaEndpointPool"),
        new("an HTTP client over a pool that is not registered", () => WithUserAsync(s => s.AddHttpClient("sdk").AddHaEndpointPoolHandler("chta")), "'chta'", "HTTP client 'sdk'", "Did you mean 'chat'?"),
        new("a health check of a pool that is not registered", () => WithUserAsync(s => s.AddHealthChecks().AddHaEndpointPoolCheck("Chat")), "'Chat'", "Health check", "Did you mean 'chat'?"),
        new("a recorder of a pool that is not registered", () => WithUserAsync(s => s.AddHaFlightRecorder("other", o => o.Folder = Path.GetTempPath())), "'other'", "AddHaFlightRecorder", "AddHaEndpointPool"),
        new("a pool asked for by another name", () => UseAsync(p => p.GetRequiredKeyedService<EndpointPool>("chta")), "'chta'", "AddHaEndpointPool", "Did you mean 'chat'?"),
        new("one of two pools asked for without a name", () => SaysAsync(Json, b =>
        {
            b.Services.AddHaEndpointPool("chat", b.Configuration.GetSection("chat"));
            b.Services.AddHaEndpointPool("images", b.Configuration.GetSection("chat"));
        }, p => Task.FromResult(p.GetRequiredService<EndpointPool>())), "'chat', 'images'", "EndpointPool", "GetRequiredKeyedService"),
        new("a pool registered twice", () => WithUserAsync(s => s.AddHaEndpointPool("chat", _ => { })), "'chat'", "AddHaEndpointPool", "another name"),
        new("a pool without a name", () => WithUserAsync(s => s.AddHaEndpointPool(" ", _ => { })), "name", "AddHaEndpointPool", "a name"),
        new("the pool twice on one HTTP client", () => WithUserAsync(s => s.AddHttpClient("sdk").AddHaEndpointPoolHandler("chat").AddHaEndpointPoolHandler("chat")), "'sdk'", "AddHaEndpointPoolHandler", "once"),
        new("the pool on all HTTP clients", () => WithUserAsync(s => s.ConfigureHttpClientDefaults(c => c.AddHaEndpointPoolHandler("chat"))), "ConfigureHttpClientDefaults", "AddHttpClient", "named or typed client"),
        new("retries around the pool", () => SaysAsync(Json, b =>
        {
            b.Services.AddHaEndpointPool("chat", b.Configuration.GetSection("chat"));
            b.Services.AddHttpClient("sdk").AddHaEndpointPoolHandler("chat").AddResilienceHandler("mine", p => p.AddConcurrencyLimiter(1));
        }, p => Task.FromResult(p.GetRequiredService<IHttpClientFactory>().CreateClient("sdk"))), "AddResilienceHandler", "HTTP client sdk", "ConfigureEndpointPipeline"),
        new("a credential for an endpoint that the pool does not have", () => WithPoolAsync($$"""{ "Endpoints": [ {{Good}} ] }""", pool => pool.UseCredential("aa", (_, _) => new("k"))), "'aa'", "UseCredential", "Did you mean 'a'?"),
        new("a chat client over endpoints that only HTTP serves", () => SaysAsync(Json, b =>
        {
            b.Services.AddHaEndpointPool("chat", b.Configuration.GetSection("chat"));
            b.Services.AddHaChatClient("chat");
        }, p => Task.FromResult(p.GetRequiredService<IChatClient>())), "no chat client for", "Pool 'chat'", "AddEndpoint(name, client)"),
        new("a chat client that no service is registered for", () => WithPoolAsync($$"""{ "Endpoints": [ {{Good}} ] }""", pool => pool.AddKeyedChatEndpoint("claude")), "'claude'", "AddKeyedChatEndpoint", "AddKeyedChatClient"),
        new("a call without a profile", () => UseAsync(p => p.GetRequiredService<EndpointPool>().ExecuteAsync((RequestProfile)null!, (_, _) => new ValueTask<int>(1), Token).AsTask()), "null", "profile", "RequestProfile.Default"),
        new("a capability that no endpoint has", () => UseAsync(p => p.GetRequiredService<EndpointPool>().ExecuteAsync(new RequestProfile { Tags = ["gpu"] }, (_, _) => new ValueTask<int>(1), Token).AsTask()), "the tag 'gpu'", "Pool 'chat'", "Tags"),
        new("a residency that no endpoint has", () => UseAsync(p => p.GetRequiredService<EndpointPool>().ExecuteAsync(new RequestProfile { Residency = "eu" }, (_, _) => new ValueTask<int>(1), Token).AsTask()), "the residency 'eu'", "Pool 'chat'", "Residency"),
        new("a call of a pool that was disposed of", () => UseAsync(p =>
        {
            var pool = p.GetRequiredService<EndpointPool>();
            pool.Dispose();
            return pool.ExecuteAsync((_, _) => new ValueTask<int>(1), Token).AsTask();
        }), "'chat'", "EndpointPool", "container"),
        new("an address without /v1", () => WithServerAsync("", "chat/completions", fault: Elsewhere), "404", "endpoint 'a'", "/v1"),
        new("a version that the SDK adds too", () => WithServerAsync("v1", "v1/chat/completions", fault: Elsewhere), "adds '/v1' again", "endpoint 'a'", "Remove it from the Address"),
        new("a model that Azure has under another name", () => WithServerAsync("v1", "chat/completions", "gpt-4o"), "does not have the model", "endpoint 'a'", "Set Model"),
        new("a test that names an endpoint wrongly", () => RefusesAsync(() =>
        {
            using var test = TestPools.Create(["main"]);
            return Task.FromResult(test["mian"]);
        }), "'mian'", "scripted endpoint", "main"),
        new("a fault of an endpoint that the simulation does not have", () => RefusesAsync(() => Task.FromResult(new Simulation().Endpoints(2, ServiceModel.LogNormal(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(4)))
            .Fault("e9", FakeFault.Hang).Run(Workload.Poisson(10), TimeSpan.FromSeconds(10)))), "'e9'", "scripted endpoint", "e0, e1"),
        new("a drill of a pool that is not registered", () => RefusesAsync(() => HaDrill.SurvivesAsync(new ServiceCollection(), "chat")), "'chat'", "services", "AddHaEndpointPool"),
        new("Redis without a connection", () => WithPoolAsync($$"""{ "Endpoints": [ {{Good}} ] }""", pool => pool.ShareThroughRedis()), "IConnectionMultiplexer", "ShareThroughRedis", "AddSingleton"),
        new("Redis with a connection string that the configuration does not have", () => WithPoolAsync($$"""{ "Endpoints": [ {{Good}} ] }""", pool => pool.ShareThroughRedis((string)null!)), "connection string", "ShareThroughRedis", "redis:6379"),
        new("Redis with an empty connection string", () => WithPoolAsync($$"""{ "Endpoints": [ {{Good}} ] }""", pool => pool.ShareThroughRedis("")), "connection string", "ShareThroughRedis", "redis:6379"),
        new("a dashboard that everyone can open", () => WebAsync(_ => { }, web => web.MapHaEndpointPools()), "/ha", "MapHaEndpointPools", "RequireAuthorization"),
        new("orders without authorization", () => WebAsync(_ => { }, web => web.MapHaEndpointPools(configure: o => o.OperatorPolicy = "operators")), "authorization", "OperatorPolicy", "services.AddAuthorization"),
        new("orders with a policy that is not registered", () => WebAsync(s => s.AddAuthorization().AddAntiforgery(), web => web.MapHaEndpointPools(configure: o => o.OperatorPolicy = "operators")), "'operators'", "OperatorPolicy", "AddPolicy"),
        new("the dashboard twice at one place", () => WebAsync(_ => { }, web =>
        {
            web.MapHaEndpointPools();
            web.MapHaEndpointPools();
        }), "'/ha'", "MapHaEndpointPools", "another prefix"),
        new("the heartbeat twice at one place", () => WebAsync(_ => { }, web =>
        {
            web.MapHaHeartbeat();
            web.MapHaHeartbeat();
        }), "'/heartbeat'", "MapHaHeartbeat", "another pattern"),
        new("a dashboard without a prefix", () => WebAsync(_ => { }, web => web.MapHaEndpointPools("")), "an empty path", "MapHaEndpointPools", "'/ha'"),
        new("an address for the prefix of the dashboard", () => WebAsync(_ => { }, web => web.MapHaEndpointPools("http://localhost/ha")), "is an address", "MapHaEndpointPools", "'/ha'"),
        new("a parameter in the prefix of the dashboard", () => WebAsync(_ => { }, web => web.MapHaEndpointPools("/{pool}")), "'/{pool}'", "MapHaEndpointPools", "'/ha'"),
        new("a dashboard without a step", () => WebAsync(_ => { }, web => web.MapHaEndpointPools(configure: o => o.Step = TimeSpan.Zero)), "Step is 0 s", "MapHaEndpointPools", "1 s to"),
        new("an empty policy for orders", () => WebAsync(_ => { }, web => web.MapHaEndpointPools(configure: o => o.OperatorPolicy = "")), "empty", "MapHaEndpointPools: OperatorPolicy", "leave it out"),
        new("a heartbeat without a path", () => WebAsync(_ => { }, web => web.MapHaHeartbeat(null!)), "no path", "MapHaHeartbeat", "'/heartbeat'"),
        new("a brace in the path of the heartbeat", () => WebAsync(_ => { }, web => web.MapHaHeartbeat("/heart{beat")), "'/heart{beat'", "MapHaHeartbeat", "'/heartbeat'"),
        new("a heartbeat of a service without capacity", () => WebAsync(_ => { }, web => web.MapHaHeartbeat(configure: o => o.Capacity = 0)), "Capacity is 0", "MapHaHeartbeat", "at least 1"),
        new("a dashboard without a pool", () => WebAsync(_ => { }, web => web.MapHaEndpointPools().RequireHost("127.0.0.1"), withPool: false), "no endpoint pool", "MapHaEndpointPools", "AddHaEndpointPool"),
    ];

    private static Task<string> WithUserAsync(Action<IServiceCollection> add) => SaysAsync(Json, b =>
    {
        b.Services.AddHaEndpointPool("chat", b.Configuration.GetSection("chat"));
        add(b.Services);
    });

    private static Task<string> UseAsync<T>(Func<IServiceProvider, T> use) => SaysAsync(Json, b => b.Services.AddHaEndpointPool("chat", b.Configuration.GetSection("chat")), async provider =>
    {
        if (use(provider) is Task task)
            await task;
    });

    // The answer of a server without /v1 to every request.
    private static FakeFault Elsewhere => FakeFault.Status(404, "Not Found", "text/plain");

    private static async Task<string> WithServerAsync(string basePath, string path, string model = "any", FakeFault? fault = null)
    {
        await using var server = await FakeAiServer.StartAsync(new FakeAiOptions { Models = ["our-deployment"] }, cancellationToken: Token);
        if (fault is not null)
            server.Faults.Always(fault);
        return await WithPoolAsync($$"""{ "Endpoints": [ { "Name": "a", "Address": "{{server.Address}}{{basePath}}" } ] }""", use: async pool =>
        {
            using var http = pool.CreateHttpClient();
            using var body = new StringContent($$"""{ "model": "{{model}}", "messages": [ { "role": "user", "content": "hi" } ] }""", System.Text.Encoding.UTF8, "application/json");
            using var answer = await http.PostAsync(new Uri(path, UriKind.Relative), body, Token);
        });
    }

    private static async Task<string> WebAsync(Action<IServiceCollection> add, Action<WebApplication> map, bool withPool = true)
    {
        var lines = new NewcomerLog();
        try
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.WebHost.UseUrls("http://0.0.0.0:0");
            builder.Logging.ClearProviders().AddProvider(lines);
            if (withPool)
                builder.Services.AddHaEndpointPool("chat", o => o.Endpoints.Add(new() { Name = "a", Address = "http://127.0.0.1:9/v1" }));
            add(builder.Services);
            await using var web = builder.Build();
            map(web);
            await web.StartAsync(Token);
            var address = web.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First().Replace("0.0.0.0", "127.0.0.1", StringComparison.Ordinal);
            using var http = new HttpClient();
            foreach (var path in (string[])["/heartbeat", "/ha"])
                (await http.GetAsync(new Uri(address + path), Token)).Dispose();
        }
        catch (Exception refused) when (refused is InvalidOperationException or ArgumentException)
        {
            lines.Add(refused.Message);
        }
        return lines.ToString();
    }
}
