using static HaKit.Release.Tests.Mistakes.NewcomerApplication;

namespace HaKit.Release.Tests.Mistakes;

/// <summary>Mistakes in the members of an endpoint: its address, its names, its key, its headers and its path for heartbeats.</summary>
internal static class EndpointMistakes
{
    public static IEnumerable<Mistake> All { get; } =
    [
        new("two addresses in one", () => WithAddressAsync("https://a.example/v1,https://b.example/v1"), "two addresses", "Endpoints:0:Address of 'a'", "an endpoint of its own"),
        new("an address with a fragment", () => WithAddressAsync("https://api.openai.com/v1#chat"), "after '#'", "Endpoints:0:Address of 'a'", "Remove"),
        new("the site for people of OpenAI", () => WithAddressAsync("https://platform.openai.com/v1"), "'https://platform.openai.com/v1'", "Endpoints:0:Address of 'a'", "'https://api.openai.com/v1'"),
        new("the site for people of Anthropic", () => WithAddressAsync("https://console.anthropic.com"), "'https://console.anthropic.com'", "Endpoints:0:Address of 'a'", "'https://api.anthropic.com'"),
        new("the portal of Azure", () => WithAddressAsync("https://portal.azure.com/openai/v1"), "'https://portal.azure.com/openai/v1'", "Endpoints:0:Address of 'a'", "openai.azure.com/openai/v1"),
        new("port 0", () => WithAddressAsync("http://127.0.0.1:0/v1"), "port 0", "Endpoints:0:Address of 'a'", "Give the port"),
        new("the address at which a server listens, with a star", () => WithAddressAsync("http://*:8080/v1"), "'http://*:8080/v1'", "Endpoints:0:Address of 'a'", "such as 'localhost'"),
        new("an operation of Gemini in the address", () => WithAddressAsync("https://generativelanguage.googleapis.com/v1beta/models/gemini-2.0-flash:generateContent"), "an operation of a model", "Endpoints:0:Address of 'a'", "'https://generativelanguage.googleapis.com/v1beta'"),
        new("the path of the responses in an address of Azure", () => WithAddressAsync("https://a.openai.azure.com/openai/responses?api-version=2025-04-01-preview"), "'/responses'", "Endpoints:0:Address of 'a'", "'https://a.openai.azure.com/openai'"),
        new("the path of an embedding in an address of a deployment", () => WithAddressAsync("https://a.openai.azure.com/openai/deployments/e/embeddings?api-version=2024-10-21"), "'/embeddings'", "Endpoints:0:Address of 'a'", "/openai/deployments/e'"),
        new("an empty version of Azure", () => WithPoolAsync("""{ "Endpoints": [ { "Name": "a", "Address": "https://a.openai.azure.com/openai/deployments/gpt?api-version=" } ] }""", use: Client), "no api-version", "endpoint 'a'", "?api-version="),
        new("a key in the address", () => WithPoolAsync("""{ "Endpoints": [ { "Name": "a", "Address": "https://generativelanguage.googleapis.com/v1beta?key=planted" } ] }""", use: Client), "a key in its query", "endpoint 'a'", "Give the key as Credential"),
        new("an operation in the origin", () => WithSettingAsync("\"Origin\": \"https://api.openai.com/v1/chat/completions\""), "'/chat/completions'", "Pool 'chat': Origin", "'https://api.openai.com/v1'"),
        new("the same server twice, once with a slash", () => WithPoolAsync("""{ "Endpoints": [ { "Name": "a", "Address": "http://127.0.0.1:9/v1" }, { "Name": "b", "Address": "http://127.0.0.1:9/v1/" } ] }""", use: Client), "'a', 'b'", "same address", "Keep one"),
        new("a name with a space at its end", () => WithPoolAsync("""{ "Endpoints": [ { "Name": "a ", "Address": "http://127.0.0.1:9/v1" } ] }"""), "'a '", "Endpoints:0:Name", "Remove"),
        new("a placeholder for a name", () => WithPoolAsync("""{ "Endpoints": [ { "Name": "<name>", "Address": "http://127.0.0.1:9/v1" } ] }"""), "'<name>'", "Endpoints:0:Name", "Give the endpoint a name"),
        new("an empty region", () => WithEndpointAsync("\"Region\": \"\""), "empty", "Endpoints:0:Region of 'a'", "leave Region out"),
        new("a zone with a space", () => WithEndpointAsync("\"Zone\": \" west\""), "white space", "Endpoints:0:Zone of 'a'", "real name"),
        new("a placeholder for an account", () => WithEndpointAsync("\"Account\": \"${ACCOUNT}\""), "placeholder", "Endpoints:0:Account of 'a'", "leave Account out"),
        new("a blank residency", () => WithEndpointAsync("\"Residency\": \" \""), "empty", "Endpoints:0:Residency of 'a'", "leave Residency out"),
        new("several models in one text", () => WithEndpointAsync("\"Model\": \"gpt-4o, gpt-4o-mini\""), "'gpt-4o, gpt-4o-mini'", "Endpoints:0:Model of 'a'", "Give each model an endpoint"),
        new("a star for all models", () => WithEndpointAsync("\"Model\": \"*\""), "'*'", "Endpoints:0:Model of 'a'", "leave it out"),
        new("a model with a space", () => WithEndpointAsync("\"Model\": \" gpt-4o\""), "white space", "Endpoints:0:Model of 'a'", "Remove"),
        new("two tags in one", () => WithEndpointAsync("\"Tags\": [ \"gpu, fast\" ]"), "comma", "Endpoints:0:Tags of 'a'", "an entry of its own"),
        new("an empty tag", () => WithEndpointAsync("\"Tags\": [ \"\" ]"), "empty", "Endpoints:0:Tags of 'a'", "leave the tag out"),
        new("tags as switches", () => WithEndpointAsync("\"Tags\": { \"gpu\": true }"), "has names", "chat:Endpoints:0:Tags", "a list of texts is needed"),
        new("a key in quotation marks", () => WithEndpointAsync("\"Credential\": \"\\\"sk-abc123456789\\\"\""), "quotation marks", "Endpoints:0:Credential of 'a'", "Remove"),
        new("a key with a space at its end", () => WithEndpointAsync("\"Credential\": \"sk-abc123456789 \""), "white space", "Endpoints:0:Credential of 'a'", "Remove"),
        new("a whole header for a key", () => WithEndpointAsync("\"Credential\": \"Authorization: Bearer sk-abc123456789\""), "the name of a header", "Endpoints:0:Credential of 'a'", "Give only the key"),
        new("an address for a key", () => WithEndpointAsync("\"Credential\": \"https://api.openai.com/v1\""), "is an address", "Endpoints:0:Credential of 'a'", "Give the key itself"),
        new("a variable of a shell for a key", () => WithEndpointAsync("\"Credential\": \"$OPENAI_API_KEY\""), "placeholder", "Endpoints:0:Credential of 'a'", "Give the key itself"),
        new("a variable as other tools write it, for a key", () => WithEndpointAsync("\"Credential\": \"env:OPENAI_API_KEY\""), "placeholder", "Endpoints:0:Credential of 'a'", "Give the key itself"),
        new("a variable of JavaScript for a key", () => WithEndpointAsync("\"Credential\": \"process.env.OPENAI_API_KEY\""), "placeholder", "Endpoints:0:Credential of 'a'", "Give the key itself"),
        new("a shortened key", () => WithEndpointAsync("\"Credential\": \"sk-…\""), "placeholder", "Endpoints:0:Credential of 'a'", "Give the key itself"),
        new("a key twice", () => WithEndpointAsync("\"Credential\": \"k2\", \"Headers\": { \"Authorization\": \"Bearer k1\" }"), "'Authorization'", "Endpoints:0:Headers of 'a'", "Keep one of them"),
        new("a colon after the scheme of a key", () => WithEndpointAsync("\"Headers\": { \"Authorization\": \"Bearer: sk-abc123456789\" }"), "a colon after 'Bearer'", "Endpoints:0:Headers of 'a'", "a space and the key"),
        new("the scheme of a key twice", () => WithEndpointAsync("\"Credential\": \"Bearer Bearer sk-abc123456789\""), "'Bearer' twice", "Endpoints:0:Credential of 'a'", "Keep it once"),
        new("two keys in one", () => WithEndpointAsync("\"Credential\": \"sk-abc123456789, sk-def123456789\""), "two keys", "Endpoints:0:Credential of 'a'", "an endpoint of its own"),
        new("a key in quotation marks in a header", () => WithEndpointAsync("\"Headers\": { \"x-api-key\": \"'k1'\" }"), "quotation marks", "Endpoints:0:Headers of 'a' has the header 'x-api-key'", "Remove"),
        new("a key without its scheme in a header", () => WithEndpointAsync("\"Headers\": { \"Authorization\": \"sk-abc123456789\" }"), "without a scheme", "Endpoints:0:Headers of 'a'", "Write 'Bearer '"),
        new("an address for a provider", () => WithEndpointAsync("\"Provider\": \"https://api.openai.com\""), "is an address", "Endpoints:0:Provider of 'a'", "Give the real name"),
        new("a dialect that Azure does not speak", () => WithPoolAsync("""{ "Endpoints": [ { "Name": "a", "Address": "https://a.openai.azure.com/openai/v1", "Dialect": "Anthropic" } ] }"""), "Anthropic, which 'a.openai.azure.com' does not speak", "Endpoints:0:Dialect of 'a'", "Set AzureOpenAI"),
        new("a name of service discovery without it", () => WithPoolAsync("""{ "Endpoints": [ { "Name": "a", "Address": "https+http://models/v1" } ] }""", use: Client), "'https+http'", "the Address of endpoint 'a'", "AddServiceDiscovery"),
        new("a header of the content", () => WithEndpointAsync("\"Headers\": { \"Content-Type\": \"application/json\" }"), "'Content-Type'", "Endpoints:0:Headers of 'a'", "Remove it"),
        new("an empty path for heartbeats", () => WithEndpointAsync("\"HealthPath\": \"\""), "is empty", "Endpoints:0:HealthPath of 'a'", "'/health'"),
        new("the host in the path for heartbeats", () => WithEndpointAsync("\"HealthPath\": \"127.0.0.1:9/health\""), "is an address", "Endpoints:0:HealthPath of 'a'", "'/health'"),
        new("a method in the path for heartbeats", () => WithEndpointAsync("\"HealthPath\": \"GET /health\""), "white space", "Endpoints:0:HealthPath of 'a'", "'/health'"),
        new("the path of the chat for heartbeats", () => WithEndpointAsync("\"HealthPath\": \"/v1/chat/completions\""), "no GET request", "Endpoints:0:HealthPath of 'a'", "'/health'"),
        new("an empty path for all heartbeats", () => WithSettingAsync("\"Heartbeat\": { \"Path\": \"\" }"), "is empty", "Pool 'chat': Heartbeat:Path", "'/health'"),
        new("an address for all heartbeats", () => WithSettingAsync("\"Heartbeat\": { \"Path\": \"https://x/health\" }"), "is an address", "Pool 'chat': Heartbeat:Path", "'/health'"),
        new("two dialects in one", () => WithEndpointAsync("\"Dialect\": \"OpenAI, Anthropic\""), "not the name of one value", "chat:Endpoints:0:Dialect", "OpenAI, AzureOpenAI"),
        new("a switch of an endpoint", () => WithEndpointAsync("\"Enabled\": false"), "Enabled", "chat:Endpoints:0:Enabled", "leave the endpoint out"),
        new("limits as a list", () => WithEndpointAsync("\"Limits\": [ 10 ]"), "is a list", "chat:Endpoints:0:Limits", "chat:Endpoints:0:Limits:MaxConcurrency"),
        new("a limit per second", () => WithEndpointAsync("\"Limits\": { \"RequestsPerSecond\": 5 }"), "RequestsPerSecond", "chat:Endpoints:0:Limits", "Did you mean 'RequestsPerMinute'?"),
        new("the limits under another name", () => WithEndpointAsync("\"RateLimit\": 5"), "RateLimit", "chat:Endpoints:0", "Did you mean 'Limits'?"),
        new("a price under its short name", () => WithEndpointAsync("\"Price\": 2.5"), "Price", "chat:Endpoints:0", "Did you mean 'InputTokenPrice'?"),
    ];

    private static Task<string> WithAddressAsync(string address) => WithPoolAsync($$"""{ "Endpoints": [ { "Name": "a", "Address": "{{address}}" } ] }""");

    private static Task Client(EndpointPool pool)
    {
        pool.CreateHttpClient().Dispose();
        return Task.CompletedTask;
    }
}
