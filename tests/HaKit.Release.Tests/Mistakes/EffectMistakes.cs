using static HaKit.Release.Tests.Mistakes.NewcomerApplication;

namespace HaKit.Release.Tests.Mistakes;

/// <summary>Settings of a pool that have no effect, contradict each other, have a wrong unit, or have another form than the pool reads.</summary>
internal static class EffectMistakes
{
    public static IEnumerable<Mistake> All { get; } =
    [
        new("milliseconds in place of seconds for the deadline", () => WithSettingAsync("\"TotalRequestTimeout\": { \"Timeout\": \"00:00:00.030\" }"), "30 ms", "TotalRequestTimeout:Timeout", "'00:00:30'"),
        new("a connection that may take longer than the call", () => WithSettingAsync("\"ConnectTimeout\": \"00:05:00\""), "5 min", "ConnectTimeout", "Make it shorter"),
        new("a wait that is longer than the call", () => WithSettingAsync("\"MaxWait\": \"00:05:00\""), "5 min", "MaxWait", "leave it out"),
        new("a thousand heartbeats per second", () => WithSettingAsync("\"Heartbeat\": { \"Interval\": \"00:00:00.001\", \"Timeout\": \"00:00:00.001\", \"MinTimeout\": \"00:00:00.001\" }"), "1 ms", "Heartbeat:Interval", "'00:00:10'"),
        new("seconds in place of days for the objective", () => WithSettingAsync("\"Objective\": { \"Period\": \"00:00:30\" }"), "30 s", "Objective:Period", "'30.00:00:00'"),
        new("a zone, and no endpoint has one", () => WithSettingAsync("\"Selection\": { \"Zone\": \"west\" }"), "'west'", "Selection:Zone", "Set Zone of the endpoints"),
        new("a placeholder for the zone", () => WithSettingAsync("\"Selection\": { \"Zone\": \"${ZONE}\" }"), "placeholder", "Selection:Zone", "leave Zone out"),
        new("a budget that pays no retry", () => WithSettingAsync("\"RetryBudget\": { \"Cap\": 0.5 }"), "0.5", "RetryBudget:Cap", "Raise Cap"),
        new("a zone in capital letters", () => WithPoolAsync("""{ "Endpoints": [ { "Name": "a", "Address": "http://127.0.0.1:9/v1", "Zone": "eu-west-1a" } ], "Selection": { "Zone": "EU-WEST-1A" } }"""), "'EU-WEST-1A'", "Zone of endpoint 'a'", "in the same way"),
        new("the cheapest endpoint without prices", () => WithSettingAsync("\"Selection\": { \"Preset\": \"Cheapest\" }"), "Cheapest", "Selection:Preset", "Set InputTokenPrice"),
        new("a worth of money without prices", () => WithSettingAsync("\"Selection\": { \"SecondsPerPrice\": 5 }"), "5", "Selection:SecondsPerPrice", "Set InputTokenPrice"),
        new("a factor in percent", () => WithSettingAsync("\"Selection\": { \"OverProvisioning\": 140 }"), "140", "Selection:OverProvisioning", "1.4"),
        new("a load in percent", () => WithSettingAsync("\"Selection\": { \"AffinityLoad\": 125 }"), "125", "Selection:AffinityLoad", "1.25"),
        new("hedges that are not switched on", () => WithSettingAsync("\"Hedging\": { \"MinimumDelay\": \"00:00:02\" }"), "no effect", "Hedging", "Set Hedging:Enabled to true"),
        new("hedges after the deadline", () => WithSettingAsync("\"Hedging\": { \"Enabled\": true, \"MinimumDelay\": \"00:10:00\" }"), "10 min", "Hedging:MinimumDelay", "Make it shorter"),
        new("learned limits that are switched off", () => WithSettingAsync("\"FirstContent\": { \"Learned\": false, \"Multiplier\": 5 }"), "no effect", "FirstContent:Multiplier", "FirstContent:Learned"),
        new("a suspicion without its detector", () => WithSettingAsync("\"Heartbeat\": { \"PhiThreshold\": 12 }"), "12", "Heartbeat:PhiThreshold", "PhiAccrual"),
        new("a continuation that no endpoint can do", () => WithSettingAsync("\"Streaming\": { \"Continuation\": \"On\" }"), "no effect", "Streaming:Continuation", "AssistantPrefix"),
        new("an instruction that is not used", () => WithEndpointAsync("\"ContinuationInstruction\": \"go on\""), "no effect", "Endpoints:0:ContinuationInstruction of 'a'", "Set Continuation to Instruction"),
        new("a window in thousands of tokens", () => WithEndpointAsync("\"ContextWindow\": 128"), "128 tokens", "Endpoints:0:ContextWindow of 'a'", "128000"),
        new("the price of one token", () => WithEndpointAsync("\"InputTokenPrice\": 0.0000025"), "2.5E-06", "Endpoints:0:InputTokenPrice of 'a'", "2.5 is meant"),
        new("one name for two keys", () => WithPoolAsync("""{ "Endpoints": [ { "Name": "a", "Address": "http://127.0.0.1:9/v1", "KeyName": "main", "Credential": "k1" }, { "Name": "b", "Address": "http://127.0.0.1:8/v1", "KeyName": "main", "Credential": "k2" } ] }"""), "'main'", "KeyName of 'a' and 'b'", "a name of its own"),
        new("a key of a fleet without a fleet", () => WithSettingAsync("\"Sharing\": { \"OrderKey\": \"0123456789abcdef\" }"), "no effect", "Sharing:OrderKey", "ShareThroughRedis"),
        new("a key of a fleet that is easy to guess", () => WithSettingAsync("\"Sharing\": { \"OrderKey\": \"aaaaaaaaaaaaaaaa\" }"), "easy to guess", "Sharing:OrderKey", "openssl rand"),
        new("an empty name of a replica", () => WithSettingAsync("\"Sharing\": { \"Replica\": \"\" }"), "empty", "Sharing:Replica", "leave Replica out"),
        new("a variable for the name of a replica", () => WithSettingAsync("\"Sharing\": { \"Replica\": \"${HOSTNAME}\" }"), "placeholder", "Sharing:Replica", "leave Replica out"),
        new("limits of an account in other letters", () => WithPoolAsync("""{ "Endpoints": [ { "Name": "a", "Address": "http://127.0.0.1:9/v1", "Account": "Team" } ], "AccountLimits": { "team": { "RequestsPerMinute": 60 } } }"""), "'team'", "AccountLimits", "'Team'"),
        new("limits without an account", () => WithSettingAsync("\"AccountLimits\": { \"RequestsPerMinute\": 60 }"), "without an account", "chat:AccountLimits:RequestsPerMinute", "below the name of its account"),
        new("limits of accounts as a list", () => WithSettingAsync("\"AccountLimits\": [ { \"RequestsPerMinute\": 60 } ]"), "is a list", "chat:AccountLimits", "under the names of their accounts"),
        new("a break that is longer than the longest", () => WithSettingAsync("\"CircuitBreaker\": { \"BreakDuration\": \"00:10:00\" }"), "BreakDuration is 10 min", "CircuitBreaker:MaxBreakDuration", "raise MaxBreakDuration too"),
        new("a delay that is longer than the longest", () => WithSettingAsync("\"Retry\": { \"Delay\": \"00:00:10\" }"), "8 s", "Retry:MaxDelay", "MaxDelay longer"),
        new("a switch of the circuit breaker", () => WithSettingAsync("\"CircuitBreaker\": { \"Enabled\": false }"), "Enabled", "chat:CircuitBreaker:Enabled", "FailuresRule"),
        new("the threshold of another circuit breaker", () => WithSettingAsync("\"CircuitBreaker\": { \"FailureThreshold\": 0.5 }"), "FailureThreshold", "chat:CircuitBreaker", "Did you mean 'FailureRatio'?"),
        new("the strategy of another balancer", () => WithSettingAsync("\"Selection\": { \"Strategy\": \"RoundRobin\" }"), "Strategy", "chat:Selection", "Did you mean 'Preset'?"),
        new("the number of attempts of another library", () => WithSettingAsync("\"Retry\": { \"MaxAttempts\": 3 }"), "MaxAttempts", "chat:Retry", "Did you mean 'MaxRetryAttempts'?"),
        new("the target under its short name", () => WithSettingAsync("\"Objective\": { \"Target\": 99.9 }"), "Target", "chat:Objective", "Did you mean 'TargetPercent'?"),
        new("a preset as a number", () => WithSettingAsync("\"Selection\": { \"Preset\": \"7\" }"), "not the name of one value", "chat:Selection:Preset", "RoundRobin"),
        new("-1 for no deadline", () => WithSettingAsync("\"TotalRequestTimeout\": { \"Timeout\": \"-1\" }"), "'-1'", "chat:TotalRequestTimeout:Timeout", "'00:00:30'"),
        new("one letter less in Endpoints", () => WithPoolAsync($$"""{ "Endpoint": [ {{Good}} ] }"""), "chat:Endpoint:0", "Pool 'chat'", "Did you mean 'Endpoints'"),
        new("a list of endpoints in the list", () => WithPoolAsync($$"""{ "Endpoints": [ [ {{Good}} ] ] }"""), "a list in the list", "chat:Endpoints:0:0", "remove one pair of brackets"),
        new("seconds in place of a time", () => WithSettingAsync("\"TotalRequestTimeout\": { \"Seconds\": 30 }"), "Seconds", "chat:TotalRequestTimeout", "Did you mean 'Timeout'?"),
        new("a delay in milliseconds", () => WithSettingAsync("\"Retry\": { \"Delay\": 250 }"), "'250'", "chat:Retry:Delay", "'00:00:00.250' for milliseconds"),
    ];
}
