using Microsoft.Extensions.DependencyInjection;
using static HaKit.Release.Tests.Mistakes.NewcomerApplication;

namespace HaKit.Release.Tests.Mistakes;

/// <summary>Settings in another place or form than the pool reads them: wrong nesting, names of other libraries, times that .NET reads differently, addresses that nothing can connect to.</summary>
internal static class PlaceMistakes
{
    public static IEnumerable<Mistake> All { get; } =
    [
        new("two endpoints whose names differ by case", () => WithPoolAsync("""{ "Endpoints": [ { "Name": "Azure", "Address": "http://127.0.0.1:9/v1" }, { "Name": "azure", "Address": "http://127.0.0.1:8/v1" } ] }"""), "'Azure' and 'azure'", "Pool 'chat': Endpoints", "a name of its own"),
        new("two pools whose names differ by case", () => WithUserAsync(s => s.AddHaEndpointPool("Chat", _ => { })), "'chat' and 'Chat'", "AddHaEndpointPool", "another name"),
        new("the list of endpoints in place of the section", () => SaysAsync($$"""{ "chat": { "Endpoints": [ {{Good}} ] } }""", b => b.Services.AddHaEndpointPool("chat", b.Configuration.GetSection("chat:Endpoints"))), "chat:Endpoints:0", "Pool 'chat'", "give AddHaEndpointPool the section 'chat'"),
        new("a deployment that the address does not name", () => WithAddressAsync("https://a.openai.azure.com/openai/deployments?api-version=2024-10-21"), "names no deployment", "Endpoints:0:Address of 'a'", "/openai/deployments/{model}"),
        new("an address of Azure without its version", () => WithPoolAsync("""{ "Endpoints": [ { "Name": "a", "Address": "https://a.openai.azure.com/openai/deployments/{model}" } ] }""", use: Client), "no api-version", "endpoint 'a'", "?api-version="),
        new("a dialect that the host does not speak", () => WithPoolAsync("""{ "Endpoints": [ { "Name": "a", "Address": "https://api.openai.com/v1", "Dialect": "Anthropic" } ] }"""), "Anthropic, which 'api.openai.com' does not speak", "Endpoints:0:Dialect of 'a'", "Set OpenAI"),
        new("one endpoint in place of the list", () => WithPoolAsync("""{ "Endpoints": { "Name": "a", "Address": "http://127.0.0.1:9/v1" } }"""), "is one endpoint", "chat:Endpoints", "Put the endpoint into brackets"),
        new("endpoints under their names in place of a list", () => WithPoolAsync("""{ "Endpoints": { "main": { "Address": "http://127.0.0.1:9/v1" } } }"""), "no Name", "chat:Endpoints:main", "add \"Name\": \"main\""),
        new("addresses in place of endpoints", () => WithPoolAsync("""{ "Endpoints": [ "http://127.0.0.1:9/v1" ] }"""), "has a value", "chat:Endpoints:0", "chat:Endpoints:0:Name"),
        new("an endpoint without a name, and where it is set", () => WithPoolAsync("""{ "Endpoints": [ { "Address": "http://127.0.0.1:9/v1" } ] }"""), "Name is ''", "Endpoints:0", "Set Endpoints:0:Name"),
        new("a group of the pool in an endpoint", () => WithEndpointAsync("\"Retry\": { \"MaxRetryAttempts\": 2 }"), "Retry", "chat:Endpoints:0:Retry", "It belongs to 'Retry' of the pool"),
        new("a setting of an endpoint at the pool", () => WithSettingAsync("\"Credential\": \"k\""), "Credential", "chat:Credential", "It belongs to 'Endpoints:0:Credential' of the pool"),
        new("a key under another library's name at the pool", () => WithSettingAsync("\"ApiKey\": \"k\""), "ApiKey", "chat:ApiKey", "It belongs to 'Endpoints:0:Credential' of the pool"),
        new("a setting of a group at the pool", () => WithSettingAsync("\"FailuresToEject\": 3"), "FailuresToEject", "chat:FailuresToEject", "It belongs to 'CircuitBreaker:FailuresToEject' of the pool"),
        new("a limit under its short name", () => WithEndpointAsync("\"Limits\": { \"RPM\": 10 }"), "RPM", "chat:Endpoints:0:Limits:RPM", "Did you mean 'RequestsPerMinute'?"),
        new("the endpoints under another name", () => WithPoolAsync($$"""{ "Backends": [ {{Good}} ] }"""), "Backends", "chat:Backends", "Did you mean 'Endpoints'?"),
        new("the section above the pool's", () => SaysAsync($$"""{ "HaKit": { "chat": { "Endpoints": [ {{Good}} ] } } }""", b => b.Services.AddHaEndpointPool("chat", b.Configuration.GetSection("HaKit"))), "HaKit:chat", "Pool 'chat'", "give AddHaEndpointPool the section 'HaKit:chat'"),
        new("the whole configuration in place of the section", () => SaysAsync($$"""{ "chat": { "Endpoints": [ {{Good}} ] } }""", b => b.Services.AddHaEndpointPool("chat", b.Configuration)), "the whole configuration", "AddHaEndpointPool", "GetSection(\"chat\")"),
        new("headers as a list", () => WithEndpointAsync("\"Headers\": [ \"api-key: k\" ]"), "is a list", "chat:Endpoints:0:Headers", "names with values"),
        new("tags in one text", () => WithEndpointAsync("\"Tags\": \"gpu,fast\""), "has a value", "chat:Endpoints:0:Tags", "chat:Endpoints:0:Tags:0"),
        new("limits as one number", () => WithEndpointAsync("\"Limits\": 10"), "has a value", "chat:Endpoints:0:Limits", "chat:Endpoints:0:Limits:MaxConcurrency"),
        new("minutes and seconds for a time", () => WithSettingAsync("\"TotalRequestTimeout\": { \"Timeout\": \"00:30\" }"), "'00:30', which means 0 hours and 30 minutes", "chat:TotalRequestTimeout:Timeout", "Write '00:00:30'"),
        new("more than a day in hours", () => WithSettingAsync("\"CircuitBreaker\": { \"CooldownCap\": \"30:00:00\" }"), "30 days and not 30 hours", "chat:CircuitBreaker:CooldownCap", "'1.06:00:00'"),
        new("a number of milliseconds for a time", () => WithSettingAsync("\"TotalRequestTimeout\": { \"Timeout\": \"100000\" }"), "'100000'", "chat:TotalRequestTimeout:Timeout", "'00:01:40' for milliseconds"),
        new("a negative time", () => WithSettingAsync("\"Heartbeat\": { \"Interval\": \"-00:00:05\" }"), "Interval is -5 s", "Pool 'chat': Heartbeat", "more than 0"),
        new("a time in another notation", () => WithSettingAsync("\"ConnectTimeout\": \"PT2S\""), "TimeSpan", "chat:ConnectTimeout", "'00:00:30'"),
        new("a weight with a comma", () => WithEndpointAsync("\"Weight\": \"0,5\""), "Double", "chat:Endpoints:0:Weight", "a number such as 0.5"),
        new("a price with its currency", () => WithEndpointAsync("\"InputTokenPrice\": \"$2.50\""), "Double", "chat:Endpoints:0:InputTokenPrice", "a number such as 0.5"),
        new("a tier in words", () => WithEndpointAsync("\"Tier\": \"first\""), "Int32", "chat:Endpoints:0:Tier", "a whole number"),
        new("a dialect as a number", () => WithEndpointAsync("\"Dialect\": \"99\""), "Dialect of 'a' is 99", "Endpoints:0", "one of Unknown, OpenAI"),
        new("a way to continue as a number", () => WithEndpointAsync("\"Continuation\": \"99\""), "Continuation of 'a' is 99", "Endpoints:0", "AssistantPrefix"),
        new("a rule as a number", () => WithSettingAsync("\"CircuitBreaker\": { \"KeyRule\": \"7\" }"), "KeyRule is 7", "Pool 'chat': CircuitBreaker", "Enforce, Report, Off"),
        new("a detector as a number", () => WithSettingAsync("\"Heartbeat\": { \"Detector\": \"7\" }"), "Detector is 7", "Pool 'chat': Heartbeat", "PhiAccrual"),
        new("the version twice in the address", () => WithAddressAsync("http://127.0.0.1:9/v1/v1"), "'/v1' twice", "Endpoints:0:Address of 'a'", "Keep it once"),
        new("the scheme twice in the address", () => WithAddressAsync("https://https://api.openai.com/v1"), "its scheme twice", "Endpoints:0:Address of 'a'", "Keep it once"),
        new("the address at which a server listens", () => WithAddressAsync("http://0.0.0.0:8000/v1"), "'http://0.0.0.0:8000/v1'", "Endpoints:0:Address of 'a'", "such as 'localhost'"),
        new("a user and a password in the address", () => WithPoolAsync("""{ "Endpoints": [ { "Name": "a", "Address": "http://user:pw@127.0.0.1:9/v1" } ] }""", use: Client), "user name or password", "Address of endpoint 'a'", "Give the key as Credential"),
        new("an endpoint without an address over HTTP", () => WithPoolAsync("""{ "Endpoints": [ { "Name": "a" } ] }""", use: Client), "neither an address nor a client", "endpoint a", "Set Address"),
        new("options of a pool under another name", () => WithUserAsync(s => s.Configure<EndpointPoolOptions>("caht", o => o.MaxWaitingCalls = 5)), "'caht'", "Configure<EndpointPoolOptions>", "Did you mean 'chat'?"),
        new("options of a pool without its name", () => WithUserAsync(s => s.Configure<EndpointPoolOptions>(o => o.MaxWaitingCalls = 5)), "without a name", "Configure<EndpointPoolOptions>", "'chat'"),
        new("a client's timeout below the pool's", () => WithClientAsync(c => c.Timeout = TimeSpan.FromSeconds(5), _ => Task.CompletedTask), "HttpClient.Timeout of 5 s", "HTTP client sdk", "TotalRequestTimeout"),
        new("a client with another base address", () => WithClientAsync(c => c.BaseAddress = new("https://api.openai.com/v1/"), c => c.GetAsync(new Uri("models", UriKind.Relative), Token)), "https://api.openai.com", "origin", "give the client the pool's Origin as its base address"),
        new("a path from the server's root", () => WithClientAsync(_ => { }, c => c.GetAsync(new Uri("/chat/completions", UriKind.Relative), Token)), "path is outside", "http://127.0.0.1:9/v1", "leave that '/' out"),
        new("a recorder without a folder", () => WithUserAsync(s => s.AddHaFlightRecorder("chat", _ => { })), "Folder is empty", "Flight recorder", "Set Folder"),
        new("alerts without a receiver", () => WithUserAsync(s => s.AddHaAlerts(_ => { })), "no receiver", "AddHaAlerts", "AddWebhook"),
        new("a webhook that the configuration does not have", () => WithUserAsync(s => s.AddHaAlerts(a => a.AddWebhook(null!))), "no address", "AddWebhook", "An absolute http or https address"),
        new("a webhook without a server", () => WithUserAsync(s => s.AddHaAlerts(a => a.AddWebhook(new Uri("/hook", UriKind.Relative)))), "another address", "AddWebhook", "'https://alerts.example/hook'"),
        new("a placeholder in a webhook", () => WithUserAsync(s => s.AddHaAlerts(a => a.AddWebhook(new Uri("https://hooks.example/services/<id>")))), "a placeholder", "AddWebhook", "Give the real address"),
        new("a placeholder in a header of a webhook", () => WithUserAsync(s => s.AddHaAlerts(a => a.AddWebhook(new Uri("https://hooks.example/1"), w => w.Headers["Authorization"] = "Bearer <token>"))), "'Authorization'", "AddWebhook", "Give the value itself"),
        new("an endpoint added twice", () => RefusesAsync(async () =>
        {
            await using var pool = new EndpointPool("chat", new EndpointPoolOptions { Endpoints = { new() { Name = "a", Address = "http://127.0.0.1:9/v1" } } });
            pool.AddEndpoint(new() { Name = "a", Address = "http://127.0.0.1:8/v1" });
        }), "'a'", "Pool 'chat': Endpoints", "a name of its own"),
    ];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static Task<string> WithAddressAsync(string address) => WithPoolAsync($$"""{ "Endpoints": [ { "Name": "a", "Address": "{{address}}" } ] }""");

    private static Task<string> WithUserAsync(Action<IServiceCollection> add) => SaysAsync($$"""{ "chat": { "Endpoints": [ {{Good}} ] } }""", b =>
    {
        b.Services.AddHaEndpointPool("chat", b.Configuration.GetSection("chat"));
        add(b.Services);
    });

    private static Task<string> WithClientAsync(Action<HttpClient> configure, Func<HttpClient, Task> use) => SaysAsync($$"""{ "chat": { "Endpoints": [ {{Good}} ] } }""", b =>
    {
        b.Services.AddHaEndpointPool("chat", b.Configuration.GetSection("chat"));
        b.Services.AddHttpClient("sdk", configure).AddHaEndpointPoolHandler("chat");
    }, p => use(p.GetRequiredService<IHttpClientFactory>().CreateClient("sdk")));

    private static Task Client(EndpointPool pool)
    {
        pool.CreateHttpClient().Dispose();
        return Task.CompletedTask;
    }
}
