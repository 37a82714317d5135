using HaKit.Heartbeats;
using Microsoft.Extensions.DependencyInjection;
using static HaKit.Release.Tests.Mistakes.NewcomerApplication;

namespace HaKit.Release.Tests.Mistakes;

/// <summary>Mistakes with keys, placeholders, and the names of endpoints, pools and vaults.</summary>
internal static class SecretMistakes
{
    private const string Json = $$"""{ "chat": { "Endpoints": [ {{Good}} ] } }""";

    public static IEnumerable<Mistake> All { get; } =
    [
        new("a credential that the configuration does not have", () => WithKeyAsync("{}", "OpenAI:ApiKey"), "'OpenAI:ApiKey'", "Pool 'chat': the configuration", "endpoint 'a'. Add it to the user secrets, or as the environment variable 'OpenAI__ApiKey'"),
        new("a credential that is empty in the configuration", () => WithKeyAsync("""{ "ApiKey": "" }""", "OpenAI:ApiKey"), "no value for 'OpenAI:ApiKey'", "endpoint 'a'", "user secrets"),
        new("a misspelt key of a credential", () => WithKeyAsync("""{ "ApiKey": "k" }""", "OpenAI:ApiKye"), "'OpenAI:ApiKye'", "endpoint 'a'", "Did you mean 'ApiKey'?"),
        new("a section in place of a credential", () => WithKeyAsync("""{ "ApiKey": "k" }""", "OpenAI"), "'OpenAI' is a section", "endpoint 'a'", "such as 'OpenAI:ApiKey'"),
        new("a placeholder under the key of a credential", () => WithKeyAsync("""{ "ApiKey": "sk-..." }""", "OpenAI:ApiKey"), "is a placeholder", "'OpenAI:ApiKey' in the configuration", "Put the key itself there"),
        new("a key in place of the name of its setting", () => WithKeyAsync("{}", "sk-proj-1234"), "begins as a key does", "UseCredentialFromConfiguration of endpoint 'a'", "'OpenAI:ApiKey'"),
        new("an empty credential", () => WithEndpointAsync("\"Credential\": \"\""), "is empty", "Endpoints:0:Credential of 'a'", "leave Credential out"),
        new("a placeholder for a credential", () => WithEndpointAsync("\"Credential\": \"YOUR_API_KEY\""), "is a placeholder", "Endpoints:0:Credential of 'a'", "Give the key itself"),
        new("a variable that was not replaced", () => WithEndpointAsync("\"Credential\": \"${OPENAI_API_KEY}\""), "is a placeholder", "Endpoints:0:Credential of 'a'", "Give the key itself"),
        new("the name of a variable in place of its value", () => WithEndpointAsync("\"Credential\": \"OPENAI_API_KEY\""), "is a placeholder", "Endpoints:0:Credential of 'a'", "Give the key itself"),
        new("a header with a scheme and no key", () => WithEndpointAsync("\"Headers\": { \"Authorization\": \"Bearer \" }"), "'Authorization' without a key", "Endpoints:0:Headers of 'a'", "Give the key itself"),
        new("a placeholder in the header for the key", () => WithEndpointAsync("\"Headers\": { \"x-api-key\": \"changeme\" }"), "'x-api-key', whose value is a placeholder", "Endpoints:0:Headers of 'a'", "Give the key itself"),
        new("a placeholder in another header", () => WithEndpointAsync("\"Headers\": { \"OpenAI-Organization\": \"<org>\" }"), "'OpenAI-Organization'", "Endpoints:0:Headers of 'a'", "Give the value itself"),
        new("a key for its name", () => WithEndpointAsync("\"KeyName\": \"sk-proj-1234\""), "begins as a key does", "Endpoints:0:KeyName of 'a'", "Give the key as Credential"),
        new("a key for an account", () => WithEndpointAsync("\"Account\": \"sk-proj-1234\""), "begins as a key does", "Endpoints:0:Account of 'a'", "Give the key as Credential"),
        new("a source of credentials that has none", () => WithPoolAsync($$"""{ "Endpoints": [ {{Good}} ] }""", pool => pool.UseCredential("a", (_, _) => new("")), CallAsync), "empty text", "endpoint 'a' (UseCredential)", "Return the key"),
        new("a placeholder for the key of a fleet", () => WithSettingAsync("\"Sharing\": { \"OrderKey\": \"<key of the fleet>\" }"), "is a placeholder", "Pool 'chat': Sharing:OrderKey", "Give the fleet's key itself"),
        new("a placeholder in the connection string of Redis", () => WithPoolAsync($$"""{ "Endpoints": [ {{Good}} ] }""", pool => pool.ShareThroughRedis("redis:6379,password=<password>")), "placeholder", "ShareThroughRedis", "Give the real value"),
        new("a placeholder for the model", () => WithEndpointAsync("\"Model\": \"YOUR-DEPLOYMENT-NAME\""), "'YOUR-DEPLOYMENT-NAME'", "Endpoints:0:Model of 'a'", "Give the name that the model or deployment has"),
        new("a placeholder in brackets in the host", () => WithAddressAsync("https://<resource>.openai.azure.com/openai/v1"), "'https://<resource>.openai.azure.com/openai/v1'", "Endpoints:0:Address of 'a'", "Give the real name"),
        new("a placeholder in words in the host", () => WithAddressAsync("https://YOUR-RESOURCE.openai.azure.com/openai/v1"), "'https://YOUR-RESOURCE.openai.azure.com/openai/v1'", "Endpoints:0:Address of 'a'", "Give the real name"),
        new("a placeholder for the version", () => WithAddressAsync("https://a.openai.azure.com/openai/deployments/{model}?api-version=<version>"), "placeholder", "Endpoints:0:Address of 'a'", "Give the real name"),
        new("a probe of an endpoint that the pool does not have", () => WithPoolAsync($$"""{ "Endpoints": [ {{Good}} ] }""", pool => pool.AddProbe("aa", new TcpProbe())), "'aa'", "AddProbe", "Did you mean 'a'?"),
        new("a pool that is not registered, of several", () => SaysAsync(Json, b =>
        {
            b.Services.AddHaEndpointPool("chat", b.Configuration.GetSection("chat"));
            b.Services.AddHaEndpointPool("images", b.Configuration.GetSection("chat"));
            b.Services.AddHaChatClient("chta");
        }), "'chta'", "AddHaChatClient", "Did you mean 'chat'? AddHaEndpointPool has registered 'chat', 'images'."),
        new("a chat client without any pool", () => SaysAsync("{}", b => b.Services.AddHaChatClient("chat"), p => Task.FromResult(p.GetRequiredKeyedService<EndpointPool>("chat"))), "'chat'", "AddHaChatClient", "AddHaEndpointPool registers a pool"),
        new("a health check of a vault that is not registered", () => SaysAsync("{}", b => b.Services.AddHealthChecks().AddHaVaultCheck("state")), "'state'", "AddHaVaultCheck", "AddHaVault registers a vault"),
        new("a vault asked for by another name", () => SaysAsync("{}", b => b.Services.AddHaVault("state", o =>
        {
            o.Keys["1"] = Convert.ToBase64String(new byte[32]);
            o.Destinations.Add(new() { Name = "disk", Folder = Path.GetTempPath() });
        }), p => Task.FromResult(p.GetRequiredKeyedService<HaKit.Continuity.Vault>("stat"))), "'stat'", "vault", "Did you mean 'state'? AddHaVault has registered 'state'."),
        new("a misspelt setting of a fleet", () => WithSettingAsync("\"Sharing\": { \"OrderKy\": \"0123456789abcdef\" }"), "OrderKy", "chat:Sharing:OrderKy", "Did you mean 'OrderKey'?"),
        new("a short key of a fleet", () => WithSettingAsync("\"Sharing\": { \"OrderKey\": \"abc\" }"), "OrderKey", "Pool 'chat': Sharing", "at least 16"),
    ];

    private static Task<string> WithKeyAsync(string section, string key) => SaysAsync($$"""{ "chat": { "Endpoints": [ {{Good}} ] }, "OpenAI": {{section}} }""",
        b => b.Services.AddHaEndpointPool("chat", b.Configuration.GetSection("chat")).UseCredentialFromConfiguration("a", key));

    private static async Task CallAsync(EndpointPool pool)
    {
        using var http = pool.CreateHttpClient();
        using var end = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        using var request = new HttpRequestMessage(HttpMethod.Post, "chat/completions") { Content = new StringContent("{}") };
        request.Options.Set(EndpointPoolHandler.ProfileKey, new RequestProfile { Deadline = TimeSpan.FromSeconds(1) });
        try
        {
            using var answer = await http.SendAsync(request, end.Token);
        }
        catch (EndpointPoolException refused) when (refused.InnerException is { } why)
        {
            throw why;
        }
    }

    private static Task<string> WithAddressAsync(string address) => WithPoolAsync($$"""{ "Endpoints": [ { "Name": "a", "Address": "{{address}}" } ] }""");
}
