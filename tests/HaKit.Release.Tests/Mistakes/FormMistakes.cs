using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using static HaKit.Release.Tests.Mistakes.NewcomerApplication;

namespace HaKit.Release.Tests.Mistakes;

/// <summary>
/// Values in a form that the pool does not read: nulls, names of environment variables, quotation marks of a file with variables, connection
/// strings, references to secrets.
/// </summary>
internal static class FormMistakes
{
    public static IEnumerable<Mistake> All { get; } =
    [
        new("null for the endpoints", () => WithPoolAsync("""{ "Endpoints": null }"""), "Endpoints is ", "Pool 'chat'", "a Name and an Address"),
        new("null among the endpoints", () => WithPoolAsync($$"""{ "Endpoints": [ {{Good}}, null ] }"""), "Endpoints", "Pool 'chat'", "Name"),
        new("an endpoint without any setting", () => WithPoolAsync("""{ "Endpoints": [ {} ] }"""), "Endpoints", "Pool 'chat'", "Name"),
        new("one underscore before a setting of an endpoint", () => WithPoolAsync($$"""{ "Endpoints": { "0": {{Good}}, "0_Credential": "planted" } }"""), "0_Credential", "chat:Endpoints", "'chat__Endpoints__0__Credential'"),
        new("one underscore before the number of an endpoint", () => WithSettingAsync("\"Endpoints_1\": { \"Name\": \"b\" }"), "Endpoints_1", "chat:Endpoints_1", "'chat__Endpoints__1'"),
        new("one underscore before a setting of a group", () => WithSettingAsync("\"Retry_MaxRetryAttempts\": 2"), "Retry_MaxRetryAttempts", "chat:Retry_MaxRetryAttempts", "'chat__Retry__MaxRetryAttempts'"),
        new("the endpoints as JSON in a variable", () => WithPoolAsync("""{ "Endpoints": "[{\"Name\":\"a\",\"Credential\":\"planted\"}]" }"""), "has a value", "chat:Endpoints", "chat:Endpoints:0"),
        new("a seed in words", () => WithSettingAsync("\"Seed\": \"random\""), "Int64", "chat:Seed", "a whole number"),
        new("a limit in words", () => WithEndpointAsync("\"Limits\": { \"MaxConcurrency\": \"unlimited\" }"), "Int32", "chat:Endpoints:0:Limits:MaxConcurrency", "a whole number"),
        new("a number of bytes with its unit", () => WithSettingAsync("\"Http\": { \"MaxReplayBytes\": \"4MB\" }"), "Int32", "chat:Http:MaxReplayBytes", "a whole number"),
        new("1 for true", () => WithSettingAsync("\"Hedging\": { \"Enabled\": 1 }"), "Boolean", "chat:Hedging:Enabled", "true or false"),
        new("tags as objects", () => WithEndpointAsync("\"Tags\": [ { \"Name\": \"gpu\" } ]"), "settings in its list", "chat:Endpoints:0:Tags", "a list of texts is needed"),
        new("several values for a header", () => WithEndpointAsync("\"Headers\": { \"x-team\": [ \"red\", \"blue\" ] }"), "a header with settings below it", "chat:Endpoints:0:Headers", "one text"),
        new("a number in place of the retries", () => WithSettingAsync("\"Retry\": 3"), "has a value", "chat:Retry", "chat:Retry:MaxRetryAttempts"),
        new("a switch in place of the hedging", () => WithSettingAsync("\"Hedging\": true"), "has a value", "chat:Hedging", "chat:Hedging:Enabled"),
        new("a preset in place of the selection", () => WithSettingAsync("\"Selection\": \"RoundRobin\""), "has a value", "chat:Selection", "chat:Selection:Preset"),
        new("one endpoint in place of the pool's section", () => SaysAsync($$"""{ "chat": { "Endpoints": [ {{Good}} ] } }""", b => b.Services.AddHaEndpointPool("chat", b.Configuration.GetSection("chat:Endpoints:0"))), "is one endpoint", "chat:Endpoints:0", "the section 'chat'"),
        new("an address in quotation marks", () => WithAddressAsync("\\\"http://127.0.0.1:9/v1\\\""), "quotation marks", "Endpoints:0:Address of 'a'", "Remove"),
        new("an origin in quotation marks", () => WithSettingAsync("\"Origin\": \"'http://127.0.0.1:9/v1'\""), "quotation marks", "Pool 'chat': Origin", "Remove"),
        new("a name in quotation marks", () => WithPoolAsync("""{ "Endpoints": [ { "Name": "'a'", "Address": "http://127.0.0.1:9/v1" } ] }"""), "quotation marks", "Endpoints:0:Name", "Remove"),
        new("a model in quotation marks", () => WithEndpointAsync("\"Model\": \"\\\"gpt-4o\\\"\""), "quotation marks", "Endpoints:0:Model of 'a'", "Remove"),
        new("a region in quotation marks", () => WithEndpointAsync("\"Region\": \"'west'\""), "quotation marks", "Endpoints:0:Region of 'a'", "real name"),
        new("a path for heartbeats in quotation marks", () => WithEndpointAsync("\"HealthPath\": \"'/health'\""), "quotation marks", "Endpoints:0:HealthPath of 'a'", "Remove"),
        new("a model with the end of its line", () => WithEndpointAsync("\"Model\": \"gpt-4o\\n\""), "characters that no name may have", "Endpoints:0:Model of 'a'", "Remove"),
        new("a connection string for an address", () => WithAddressAsync("Endpoint=https://a.openai.azure.com/;Key=planted"), "a connection string", "Endpoints:0:Address of 'a'", "as Credential"),
        new("a connection string that begins with its key", () => WithAddressAsync("Key=planted;Endpoint=https://a.openai.azure.com/"), "a connection string", "Endpoints:0:Address of 'a'", "as Credential"),
        new("a port that no server can have", () => WithAddressAsync("http://127.0.0.1:80000/v1"), "above 65535", "Endpoints:0:Address of 'a'", "Give the port"),
        new("the address of a container", () => WithAddressAsync("tcp://10.0.0.5:8000"), "'tcp://10.0.0.5:8000'", "Endpoints:0:Address of 'a'", "http or https"),
        new("a key with a long dash", () => WithEndpointAsync("\"Credential\": \"sk-abc—123456789\""), "characters that no header may have", "Endpoints:0:Credential of 'a'", "Remove"),
        new("a key with an invisible character in the configuration", () => WithKeyAsync("sk-abc123456789\\u200B"), "characters that no header may have", "'OpenAI:ApiKey' in the configuration", "Remove"),
        new("the file of a container's secret for a key", () => WithEndpointAsync("\"Credential\": \"/run/secrets/openai\""), "path of a file", "Endpoints:0:Credential of 'a'", "AddKeyPerFile"),
        new("the file of a secret in the configuration", () => WithKeyAsync("/run/secrets/openai"), "path of a file", "'OpenAI:ApiKey' in the configuration", "AddKeyPerFile"),
        new("a reference of a platform for a key", () => WithEndpointAsync("\"Credential\": \"secretref:openai-key\""), "a reference to a secret", "Endpoints:0:Credential of 'a'", "Give the key itself"),
        new("a reference to a secret store in a header", () => WithEndpointAsync("\"Headers\": { \"Authorization\": \"Bearer vault:secret/openai#key\" }"), "a reference to a secret", "Endpoints:0:Headers of 'a'", "Give the key itself"),
        new("the name of a setting for a key", () => WithEndpointAsync("\"Credential\": \"OpenAI:ApiKey\""), "the name of a setting", "Endpoints:0:Credential of 'a'", "UseCredentialFromConfiguration"),
        new("the key of another provider", () => WithPoolAsync("""{ "Endpoints": [ { "Name": "a", "Address": "https://api.openai.com/v1", "Credential": "sk-ant-abc123456789" } ] }"""), "a key of Anthropic", "Endpoints:0:Credential of 'a'", "Give the key for this host"),
        new("the key of another provider in the configuration", () => SaysAsync("""{ "chat": { "Endpoints": [ { "Name": "a", "Address": "https://api.anthropic.com", "Dialect": "Anthropic" } ] }, "OpenAI": { "ApiKey": "sk-proj-abc123456789" } }""",
            b => b.Services.AddHaEndpointPool("chat", b.Configuration.GetSection("chat")).UseCredentialFromConfiguration("a", "OpenAI:ApiKey")), "a key of OpenAI", "'OpenAI:ApiKey' in the configuration", "Give the key for this host"),
        new("a placeholder in square brackets for a key", () => WithEndpointAsync("\"Credential\": \"[YOUR_API_KEY]\""), "placeholder", "Endpoints:0:Credential of 'a'", "Give the key itself"),
        new("a word that a release pipeline replaces for a key", () => WithEndpointAsync("\"Credential\": \"__OPENAI_KEY__\""), "placeholder", "Endpoints:0:Credential of 'a'", "Give the key itself"),
        new("a variable in braces for a key", () => WithEndpointAsync("\"Credential\": \"{env:OPENAI_API_KEY}\""), "placeholder", "Endpoints:0:Credential of 'a'", "Give the key itself"),
        new("a section that code binds, with a value of a wrong type", () => SaysAsync("""{ "chat": { "Endpoints": [ { "Name": "a" } ], "MaxWaitingCalls": "planted" } }""", b => b.Services.AddHaEndpointPool("chat", o => b.Configuration.GetSection("chat").Bind(o))), "Int32", "chat:MaxWaitingCalls", "a whole number"),
    ];

    private static Task<string> WithAddressAsync(string address) => WithPoolAsync($$"""{ "Endpoints": [ { "Name": "a", "Address": "{{address}}" } ] }""");

    private static Task<string> WithKeyAsync(string value) => SaysAsync($$"""{ "chat": { "Endpoints": [ {{Good}} ] }, "OpenAI": { "ApiKey": "{{value}}" } }""",
        b => b.Services.AddHaEndpointPool("chat", b.Configuration.GetSection("chat")).UseCredentialFromConfiguration("a", "OpenAI:ApiKey"));
}
