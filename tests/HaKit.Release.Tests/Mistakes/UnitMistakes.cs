using static HaKit.Release.Tests.Mistakes.NewcomerApplication;

namespace HaKit.Release.Tests.Mistakes;

/// <summary>Settings that are valid, and that have a wrong unit or no effect beside another setting. The log names them at start-up.</summary>
internal static class UnitMistakes
{
    public static IEnumerable<Mistake> All { get; } =
    [
        new("a budget in percent", () => WithSettingAsync("\"RetryBudget\": { \"PerSuccess\": 10 }"), "is 10", "RetryBudget:PerSuccess", "0.1"),
        new("a utilisation of endpoints in percent", () => WithSettingAsync("\"Scale\": { \"TargetUtilization\": 70 }"), "70", "Scale:TargetUtilization", "at most 1"),
        new("a share of fail-open in percent", () => WithSettingAsync("\"Selection\": { \"FailOpenBelow\": 50 }"), "50", "Selection:FailOpenBelow", "0 to 1"),
        new("a jitter in percent", () => WithSettingAsync("\"Heartbeat\": { \"Jitter\": 10 }"), "10", "Heartbeat:Jitter", "0 to 0.5"),
        new("megabytes for the longest body", () => WithSettingAsync("\"Http\": { \"MaxReplayBytes\": 4 }"), "is 4", "Http:MaxReplayBytes", "4194304"),
        new("megabytes for the longest answer", () => WithSettingAsync("\"Http\": { \"MaxAnswerBytes\": 64 }"), "is 64", "Http:MaxAnswerBytes", "65,536 to"),
        new("megabytes for the held bytes", () => WithSettingAsync("\"Streaming\": { \"HoldBytes\": 16 }"), "is 16", "Streaming:HoldBytes", "4194304"),
        new("a quota in thousands of tokens", () => WithEndpointAsync("\"Limits\": { \"TokensPerMinute\": 240 }"), "is 240", "Endpoints:0:Limits:TokensPerMinute", "240000"),
        new("the quota of an account in thousands of tokens", () => WithPoolAsync("""{ "Endpoints": [ { "Name": "a", "Address": "http://127.0.0.1:9/v1", "Account": "team" } ], "AccountLimits": { "team": { "TokensPerMinute": 240 } } }"""), "is 240", "AccountLimits:team:TokensPerMinute", "240000"),
        new("a first content after the deadline", () => WithSettingAsync("\"FirstContent\": { \"Timeout\": \"00:05:00\" }"), "5 min", "FirstContent:Timeout", "Make it shorter"),
        new("a backoff that ends after the deadline", () => WithSettingAsync("\"Retry\": { \"Delay\": \"00:02:00\", \"MaxDelay\": \"00:05:00\" }"), "2 min", "Retry:Delay", "Make it shorter"),
        new("missed heartbeats with the other detector", () => WithSettingAsync("\"Heartbeat\": { \"Detector\": \"PhiAccrual\" }, \"CircuitBreaker\": { \"MissesToEject\": 5 }"), "no effect", "CircuitBreaker:MissesToEject", "Heartbeat:PhiThreshold"),
        new("a penalty of a zone without a zone", () => WithSettingAsync("\"Selection\": { \"ZonePenalty\": \"00:00:00.200\" }"), "no effect", "Selection:ZonePenalty", "Set Selection:Zone"),
        new("hedges without a share of calls", () => WithSettingAsync("\"Hedging\": { \"Enabled\": true }, \"RetryBudget\": { \"HedgesPerCall\": 0 }"), "RetryBudget:HedgesPerCall is 0", "Hedging:Enabled", "Raise it"),
        new("hedges without a budget", () => WithSettingAsync("\"Hedging\": { \"Enabled\": true }, \"RetryBudget\": { \"Cap\": 0 }"), "RetryBudget:Cap is 0", "Hedging:Enabled", "Raise it"),
        new("hedges with one attempt for each call", () => WithSettingAsync("\"Hedging\": { \"Enabled\": true }, \"Retry\": { \"MaxRetryAttempts\": 0 }"), "Retry:MaxRetryAttempts is 0", "Hedging:Enabled", "Raise it"),
    ];
}
