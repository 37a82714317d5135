using Microsoft.Extensions.AI;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using static HaKit.Release.Tests.Mistakes.NewcomerApplication;

namespace HaKit.Release.Tests.Mistakes;

/// <summary>Mistakes in registrations and calls: names that a configuration does not have, something given twice, functions that return null, headers of a request.</summary>
internal static class WiringMistakes
{
    public static IEnumerable<Mistake> All { get; } =
    [
        new("a chat client over a pool without a name", () => WithUserAsync(s => s.AddHaChatClient(null!)), "null", "AddHaChatClient", "Give the name itself"),
        new("an embedding generator over a pool without a name", () => WithUserAsync(s => s.AddHaEmbeddingGenerator("")), "''", "AddHaEmbeddingGenerator", "Give the name itself"),
        new("an HTTP client over a pool without a name", () => WithUserAsync(s => s.AddHttpClient("sdk").AddHaEndpointPoolHandler(null!)), "null", "AddHaEndpointPoolHandler of HTTP client 'sdk'", "Give the name itself"),
        new("a health check of a pool without a name", () => WithUserAsync(s => s.AddHealthChecks().AddHaEndpointPoolCheck(" ")), "' '", "AddHaEndpointPoolCheck", "Give the name itself"),
        new("a recorder of a pool without a name", () => WithUserAsync(s => s.AddHaFlightRecorder(null!, o => o.Folder = "recordings")), "null", "AddHaFlightRecorder", "Give the name itself"),
        new("a credential of an endpoint without a name", () => WithBuilderAsync(pool => pool.UseCredential("", (_, _) => new("k"))), "''", "UseCredential of pool 'chat'", "Give the name itself"),
        new("a credential without its key in the configuration", () => WithBuilderAsync(pool => pool.UseCredentialFromConfiguration("a", null!)), "null", "UseCredentialFromConfiguration of endpoint 'a'", "OpenAI:ApiKey"),
        new("a probe of an endpoint without a name", () => WithBuilderAsync(pool => pool.AddProbe(" ", new HaKit.Heartbeats.TcpProbe())), "' '", "AddProbe of pool 'chat'", "Give the name itself"),
        new("a health check for liveness", () => WithUserAsync(s => s.AddHealthChecks().AddHaEndpointPoolCheck("chat", tags: ["live"])), "'live'", "AddHaEndpointPoolCheck of pool 'chat'", "'ready'"),
        new("a health check of a vault for liveness", () => WithUserAsync(s => s.AddHealthChecks().AddHaVaultCheck("state", tags: ["live"])), "'live'", "AddHaVaultCheck of vault 'state'", "'ready'"),
        new("a health check of no endpoint", () => WithUserAsync(s => s.AddHealthChecks().AddHaEndpointPoolCheck("chat", minimum: 0)), "minimum is 0", "AddHaEndpointPoolCheck of pool 'chat'", "at least 1"),
        new("two recorders of a pool", () => WithUserAsync(s =>
        {
            s.AddHaFlightRecorder("chat", o => o.Folder = "one");
            s.AddHaFlightRecorder("chat", o => o.Folder = "two");
        }), "'chat'", "AddHaFlightRecorder", "once for each pool"),
        new("a placeholder for the folder of a recorder", () => WithUserAsync(s => s.AddHaFlightRecorder("chat", o => o.Folder = "<folder>")), "placeholder", "Flight recorder: Folder", "Give the real folder"),
        new("a file for the folder of a recorder", () => WithUserAsync(s => s.AddHaFlightRecorder("chat", o => o.Folder = typeof(WiringMistakes).Assembly.Location)), "is a file", "Flight recorder: Folder", "Give another path"),
        new("two clients for one endpoint", () => WithBuilderAsync(pool => pool.AddEndpoint("x", new Silent()).AddEndpoint("x", new Silent())), "'x'", "AddEndpoint of pool 'chat'", "a name of its own"),
        new("a client without a name", () => WithBuilderAsync(pool => pool.AddEndpoint("", new Silent())), "no name", "AddEndpoint of pool 'chat'", "Give it a name"),
        new("a function for a client that returns null", () => WithBuilderAsync(pool => pool.AddEndpoint("x", _ => (IChatClient)null!)), "returned null", "endpoint 'x'", "Return the client"),
        new("a section of resilience that does not exist", () => WithBuilderAsync(pool => pool.UseStandardResilienceOptions(new ConfigurationBuilder().Build().GetSection("Resilence"))), "'Resilence'", "UseStandardResilienceOptions of pool 'chat'", "Give it the section"),
        new("alerts without a pool", () => SaysAsync("{}", b => b.Services.AddHaAlerts(a => a.AddWebhook(new Uri("https://alerts.example/1")))), "nothing to watch", "AddHaAlerts", "AddHaEndpointPool"),
        new("one webhook twice", () => WithUserAsync(s => s.AddHaAlerts(a => a.AddWebhook(new Uri("https://alerts.example/1")).AddWebhook(new Uri("https://alerts.example/1")))), "twice", "AddWebhook", "Add each receiver once"),
        new("single braces in the template of a webhook", () => WithUserAsync(s => s.AddHaAlerts(a => a.AddWebhook(new Uri("https://alerts.example/1"), w => w.Template = """{ "text": "{message}" }"""))), "'{message}'", "AddWebhook: Template", "'{{text}}'"),
        new("a template that is not JSON", () => WithUserAsync(s => s.AddHaAlerts(a => a.AddWebhook(new Uri("https://alerts.example/1"), w => w.Template = """{ "text": "{{text}}" """))), "not JSON", "AddWebhook: Template", "{\"text\":\"{{text}}\"}"),
        new("an empty template", () => WithUserAsync(s => s.AddHaAlerts(a => a.AddWebhook(new Uri("https://alerts.example/1"), w => w.Template = ""))), "empty", "AddWebhook: Template", "{\"text\":\"{{text}}\"}"),
        new("a webhook without an attempt", () => WithUserAsync(s => s.AddHaAlerts(a => a.AddWebhook(new Uri("https://alerts.example/1"), w => w.MaxAttempts = 0))), "MaxAttempts is 0", "AddWebhook", "1 to"),
        new("a header of the content at a webhook", () => WithUserAsync(s => s.AddHaAlerts(a => a.AddWebhook(new Uri("https://alerts.example/1"), w => w.Headers["Content-Type"] = "text/plain"))), "'Content-Type'", "AddWebhook", "Remove it"),
        new("an address for Redis", () => WithBuilderAsync(pool => pool.ShareThroughRedis("redis://user:planted@127.0.0.1:6379")), "a scheme", "ShareThroughRedis", "'redis:6379"),
        new("an option that Redis does not have", () => WithBuilderAsync(pool => pool.ShareThroughRedis("redis:6379,pasword=planted")), "'pasword'", "ShareThroughRedis", "'redis:6379"),
        new("semicolons for Redis", () => WithBuilderAsync(pool => pool.ShareThroughRedis("redis:6379;password=planted")), "';'", "ShareThroughRedis", "Write commas"),
        new("options without a server for Redis", () => WithBuilderAsync(pool => pool.ShareThroughRedis("password=planted")), "no server", "ShareThroughRedis", "Begin with host and port"),
        new("the name of the setting for Redis", () => WithBuilderAsync(pool => pool.ShareThroughRedis("ConnectionStrings:Redis")), "name of a setting", "ShareThroughRedis", "GetConnectionString"),
        new("a misspelt header of the profile", () => WithHeaderAsync("x-ha-priorty", "1"), "'x-ha-priorty'", "header", "x-ha-priority"),
        new("a time with its unit in a header", () => WithHeaderAsync("x-ha-deadline", "30s"), "no time", "'x-ha-deadline'", "seconds such as 30"),
        new("yes for true in a header", () => WithHeaderAsync("x-ha-tools", "yes"), "another value than true or false", "'x-ha-tools'", "write one of these"),
        new("a deadline that is over", () => CallAsync(pool => pool.ExecuteAsync(new RequestProfile { Deadline = Timeout.InfiniteTimeSpan }, (_, _) => new ValueTask<int>(1)).AsTask()), "deadline is -1 ms", "Pool 'chat'", "null for the pool's deadline"),
        new("no tags in a profile", () => CallAsync(pool => pool.ExecuteAsync(new RequestProfile { Tags = null! }, (_, _) => new ValueTask<int>(1)).AsTask()), "null", "Tags of the request's profile", "an empty list"),
        new("an order for an endpoint that the pool does not have", () => CallAsync(pool => pool.ForceDownAsync("aa").AsTask()), "'aa'", "Pool 'chat'", "It has 'a'"),
        new("a handler of the pool that sends nothing", () => CallAsync(async pool =>
        {
            using var http = new HttpClient(new EndpointPoolHandler(pool)) { BaseAddress = new("http://127.0.0.1:9/v1/") };
            using var answer = await http.GetAsync(new Uri("models", UriKind.Relative), TestContext.Current.CancellationToken);
        }), "no InnerHandler", "Pool 'chat'", "CreateHttpClient"),
        new("no clock", () => WithBuilderAsync(pool => pool.ConfigureParts((_, parts) => parts.TimeProvider = null!)), "null", "TimeProvider of the pool's parts", "Leave it at its default"),
        new("a service without its scheme", () => WithBuilderAsync(pool => pool.AddEndpointsFrom("models")), "'models'", "AddEndpointsFrom of pool 'chat'", "'https+http://models/v1'"),
        new("words for a number in a header", () => WithHeaderAsync("x-ha-priority", "high"), "no whole number", "'x-ha-priority'", "such as 1"),
    ];

    private static Task<string> WithBuilderAsync(Action<IEndpointPoolBuilder> more) => WithPoolAsync($$"""{ "Endpoints": [ {{Good}} ] }""", more, pool => Task.FromResult(pool));

    private static Task<string> CallAsync(Func<EndpointPool, Task> call) => WithPoolAsync($$"""{ "Endpoints": [ {{Good}} ] }""", use: call);

    private static Task<string> WithUserAsync(Action<IServiceCollection> add) => SaysAsync($$"""{ "chat": { "Endpoints": [ {{Good}} ] } }""", b =>
    {
        b.Services.AddHaEndpointPool("chat", b.Configuration.GetSection("chat"));
        add(b.Services);
    });

    private static Task<string> WithHeaderAsync(string name, string value) => WithPoolAsync($$"""{ "Endpoints": [ {{Good}} ] }""", use: async pool =>
    {
        using var http = pool.CreateHttpClient();
        http.DefaultRequestHeaders.Add(name, value);
        using var answer = await http.GetAsync(new Uri("models", UriKind.Relative), TestContext.Current.CancellationToken);
    });

    private sealed class Silent : IChatClient
    {
        public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public object? GetService(Type serviceType, object? serviceKey = null) => null;

        public void Dispose()
        {
        }
    }
}
