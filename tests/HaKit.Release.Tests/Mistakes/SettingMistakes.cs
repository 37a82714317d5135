using Microsoft.Extensions.DependencyInjection;
using static HaKit.Release.Tests.Mistakes.NewcomerApplication;

namespace HaKit.Release.Tests.Mistakes;

/// <summary>Mistakes in the configuration of a pool.</summary>
internal static class SettingMistakes
{
    public static IEnumerable<Mistake> All { get; } =
    [
        new("a section of another name", () => SaysAsync("""{ "chat": {} }""", b => b.Services.AddHaEndpointPool("chat", b.Configuration.GetSection("chatt"))), "'chatt'", "Pool 'chat'", "AddHaEndpointPool"),
        new("a pool without endpoints", () => WithPoolAsync("""{ "Endpoints": [] }"""), "Endpoints is empty", "Pool 'chat'", "AllowEmpty"),
        new("an endpoint without a name", () => WithPoolAsync("""{ "Endpoints": [ { "Address": "https://api.openai.com/v1" } ] }"""), "Name", "Endpoints:0", "needs a name"),
        new("two endpoints of one name", () => WithPoolAsync($$"""{ "Endpoints": [ {{Good}}, {{Good}} ] }"""), "'a'", "Endpoints", "a name of its own"),
        new("the same server twice", () => WithPoolAsync("""{ "Endpoints": [ { "Name": "a", "Address": "http://127.0.0.1:9/v1" }, { "Name": "b", "Address": "http://127.0.0.1:9/v1" } ] }""", use: Client), "'a', 'b'", "same address", "Keep one"),
        new("an address without a scheme", () => WithPoolAsync("""{ "Endpoints": [ { "Name": "a", "Address": "api.openai.com/v1" } ] }"""), "'api.openai.com/v1'", "Endpoints:0:Address of 'a'", "https"),
        new("a port without a scheme", () => WithPoolAsync("""{ "Endpoints": [ { "Name": "a", "Address": "localhost:8000" } ] }"""), "'localhost:8000'", "Endpoints:0:Address of 'a'", "http"),
        new("the path of the chat in the address", () => WithPoolAsync("""{ "Endpoints": [ { "Name": "a", "Address": "https://api.openai.com/v1/chat/completions" } ] }"""), "/chat/completions", "Endpoints:0:Address of 'a'", "'https://api.openai.com/v1'"),
        new("the path of the messages in the address", () => WithPoolAsync("""{ "Endpoints": [ { "Name": "a", "Address": "https://api.anthropic.com/v1/messages" } ] }"""), "/messages", "Endpoints:0:Address of 'a'", "'https://api.anthropic.com'"),
        new("an address with a space at its end", () => WithPoolAsync("""{ "Endpoints": [ { "Name": "a", "Address": "http://127.0.0.1:9/v1 " } ] }"""), "white space", "Endpoints:0:Address of 'a'", "Remove"),
        new("an address with a space in its middle", () => WithPoolAsync("""{ "Endpoints": [ { "Name": "a", "Address": "http://127.0.0.1:9/ v1" } ] }"""), "white space", "Endpoints:0:Address of 'a'", "Remove"),
        new("http where https is meant", () => WithPoolAsync("""{ "Endpoints": [ { "Name": "a", "Address": "http://api.openai.com/v1" } ] }""", use: Client), "a", "plain http", "https"),
        new("a negative tier", () => WithEndpointAsync("\"Tier\": -1"), "-1", "Endpoints:0:Tier of 'a'", "at least 0"),
        new("a weight of nothing", () => WithEndpointAsync("\"Weight\": 0"), "0", "Endpoints:0:Weight of 'a'", "0.000001 to 1,000,000"),
        new("a weight in words", () => WithEndpointAsync("\"Weight\": \"high\""), "Double", "chat:Endpoints:0:Weight", "a number"),
        new("an unknown preset", () => WithSettingAsync("\"Selection\": { \"Preset\": \"Fastest\" }"), "SelectionPreset", "chat:Selection:Preset", "Adaptive, RoundRobin"),
        new("an unknown dialect", () => WithEndpointAsync("\"Dialect\": \"GPT\""), "WireDialect", "chat:Endpoints:0:Dialect", "OpenAI, AzureOpenAI"),
        new("yes for true", () => WithSettingAsync("\"Heartbeat\": { \"Enabled\": \"yes\" }"), "Boolean", "chat:Heartbeat:Enabled", "true or false"),
        new("a number of seconds for a time", () => WithSettingAsync("\"TotalRequestTimeout\": { \"Timeout\": \"30\" }"), "'30'", "chat:TotalRequestTimeout:Timeout", "'00:00:30'"),
        new("a time with its unit", () => WithSettingAsync("\"ConnectTimeout\": \"2s\""), "TimeSpan", "chat:ConnectTimeout", "'00:00:30'"),
        new("a time in place of a group", () => WithSettingAsync("\"TotalRequestTimeout\": \"00:00:30\""), "has a value", "chat:TotalRequestTimeout", "Timeout"),
        new("an attempt that may be longer than the call", () => WithSettingAsync("\"TotalRequestTimeout\": { \"Timeout\": \"00:00:30\" }, \"AttemptTimeout\": { \"Timeout\": \"00:01:00\" }"), "AttemptTimeout:Timeout is 60 s", "TotalRequestTimeout", "shorter"),
        new("a time of nothing", () => WithSettingAsync("\"ConnectTimeout\": \"00:00:00\""), "is 0 s", "ConnectTimeout", "more than 0"),
        new("a multiplier without a bound", () => WithSettingAsync("\"FirstContent\": { \"Multiplier\": \"1e300\" }"), "1E+300", "FirstContent:Multiplier", "1 to 1,000"),
        new("an infinite price", () => WithEndpointAsync("\"InputTokenPrice\": \"Infinity\""), "Infinity", "Endpoints:0:InputTokenPrice of 'a'", "0 to 1,000,000,000"),
        new("a weight that hides all others", () => WithEndpointAsync("\"Weight\": 1e300"), "1E+300", "Endpoints:0:Weight of 'a'", "0.000001 to 1,000,000"),
        new("a time without a bound", () => WithSettingAsync("\"Hedging\": { \"MinimumDelay\": \"10675199.02:48:05.4775807\" }"), "more than 1000 years", "Hedging:MinimumDelay", "0 to 10 years"),
        new("a connection that may take a month", () => WithSettingAsync("\"ConnectTimeout\": \"30.00:00:00\""), "is 30 days", "ConnectTimeout", "at most 24 h"),
        new("a check of the load without a pause", () => WithSettingAsync("\"Scale\": { \"Interval\": \"00:00:00.0000001\" }"), "is 0.1 µs", "Scale:Interval", "0.1 s to 24 h"),
        new("a quota of nothing", () => WithEndpointAsync("\"Limits\": { \"RequestsPerMinute\": 0 }"), "RequestsPerMinute is 0", "Limits of endpoint 'a'", "For no limit, leave it out"),
        new("a quota above two thousand million", () => WithEndpointAsync("\"Limits\": { \"TokensPerMinute\": 3000000000 }"), "Int32", "chat:Endpoints:0:Limits:TokensPerMinute", "at most 2147483647"),
        new("limits of an account that no endpoint has", () => WithSettingAsync("\"AccountLimits\": { \"team\": { \"RequestsPerMinute\": 60 } }"), "'team'", "AccountLimits", "Account"),
        new("a misspelt group", () => WithSettingAsync("\"Hartbeat\": { \"Interval\": \"00:00:05\" }"), "Hartbeat", "chat:Hartbeat", "Did you mean 'Heartbeat'?"),
        new("a misspelt setting of an endpoint", () => WithEndpointAsync("\"Wieght\": 2"), "Wieght", "chat:Endpoints:0:Wieght", "Did you mean 'Weight'?"),
        new("the key under another library's name", () => WithEndpointAsync("\"ApiKey\": \"k\""), "ApiKey", "chat:Endpoints:0:ApiKey", "Did you mean 'Credential'?"),
        new("the address under another library's name", () => WithEndpointAsync("\"BaseUrl\": \"http://127.0.0.1:9/v1\""), "BaseUrl", "chat:Endpoints:0:BaseUrl", "Did you mean 'Address'?"),
        new("the deployment under Azure's name", () => WithEndpointAsync("\"DeploymentName\": \"our-gpt\""), "DeploymentName", "chat:Endpoints:0:DeploymentName", "Did you mean 'Model'?"),
        new("a name that is like none", () => WithSettingAsync("\"Zebra\": 1"), "Zebra", "chat:Zebra", "docs/configuration.md"),
        new("an empty model", () => WithEndpointAsync("\"Model\": \"\""), "Model", "Endpoints:0:Model of 'a'", "leave it out"),
        new("a key with the end of its line", () => WithEndpointAsync("\"Credential\": \"sk-1\\n\""), "Credential", "Endpoints:0:Credential of 'a'", "line break"),
        new("the page's placeholder in place of a key", () => WithEndpointAsync("\"Credential\": \"Bearer <key>\""), "placeholder", "Endpoints:0:Credential of 'a'", "key"),
        new("a header with a space in its name", () => WithEndpointAsync("\"Headers\": { \"api key\": \"k\" }"), "'apikey'", "Endpoints:0:Headers of 'a'", "letters, digits and hyphens"),
        new("a path for heartbeats that is an address", () => WithEndpointAsync("\"HealthPath\": \"http://127.0.0.1:9/health\""), "HealthPath", "Endpoints:0:HealthPath of 'a'", "'/health'"),
        new("a heartbeat that takes longer than its interval", () => WithSettingAsync("\"Heartbeat\": { \"Interval\": \"00:00:01\" }"), "Timeout is 2 s", "Heartbeat", "not longer than Interval"),
        new("a share in percent", () => WithSettingAsync("\"CircuitBreaker\": { \"FailureRatio\": 50 }"), "50", "CircuitBreaker:FailureRatio", "1"),
        new("a share of hedges in percent", () => WithSettingAsync("\"Hedging\": { \"MaxShare\": 5 }"), "5", "Hedging:MaxShare", "0.5"),
        new("an objective as a share", () => WithSettingAsync("\"Objective\": { \"TargetPercent\": 0.999 }"), "0.999", "Objective:TargetPercent", "99.9"),
        new("a negative number of retries", () => WithSettingAsync("\"Retry\": { \"MaxRetryAttempts\": -1 }"), "-1", "Retry:MaxRetryAttempts", "0 to 100"),
        new("a group that is null in code", () => SaysAsync("{}", b => b.Services.AddHaEndpointPool("chat", o => o.Retry = null!)), "Retry is null", "Pool 'chat'", "leave it at its default"),
    ];

    private static Task Client(EndpointPool pool)
    {
        pool.CreateHttpClient().Dispose();
        return Task.CompletedTask;
    }
}
