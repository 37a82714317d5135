using HaKit.Attempts;
using Microsoft.Extensions.Configuration;

namespace HaKit.DependencyInjection;

/// <summary>Finds the remedy for an unknown name in a pool's section: the name or the place that was probably meant. Pure.</summary>
internal static class SettingHints
{
    // The names of settings in other libraries, each with the name that HaKit has for the same setting.
    private static readonly Dictionary<string, string> s_elsewhere = new(StringComparer.OrdinalIgnoreCase)
    {
        ["ApiKey"] = "Credential",
        ["Key"] = "Credential",
        ["Token"] = "Credential",
        ["Secret"] = "Credential",
        ["BaseUrl"] = "Address",
        ["BaseAddress"] = "Address",
        ["BaseUri"] = "Address",
        ["Url"] = "Address",
        ["Uri"] = "Address",
        ["Endpoint"] = "Address",
        ["Host"] = "Address",
        ["Deployment"] = "Model",
        ["DeploymentName"] = "Model",
        ["ModelId"] = "Model",
        ["ModelName"] = "Model",
        ["Priority"] = "Tier",
        ["Timeout"] = "TotalRequestTimeout",
        ["Deadline"] = "TotalRequestTimeout",
        ["MaxRetries"] = "Retry",
        ["MaxAttempts"] = "MaxRetryAttempts",
        ["RetryCount"] = "MaxRetryAttempts",
        ["Strategy"] = "Preset",
        ["Policy"] = "Preset",
        ["Algorithm"] = "Preset",
        ["LoadBalancing"] = "Selection",
        ["LoadBalancer"] = "Selection",
        ["Routing"] = "Selection",
        ["Streams"] = "Streaming",
        ["Stream"] = "Streaming",
        ["Breaker"] = "CircuitBreaker",
        ["FailureThreshold"] = "FailureRatio",
        ["DurationOfBreak"] = "BreakDuration",
        ["Percent"] = "PerSuccess",
        ["Target"] = "TargetPercent",
        ["Slo"] = "Objective",
        ["Window"] = "Period",
        ["Seconds"] = "Timeout",
        ["RateLimit"] = "Limits",
        ["RateLimits"] = "Limits",
        ["Price"] = "InputTokenPrice",
        ["Cost"] = "InputTokenPrice",
        ["AllowInsecure"] = "AllowPlainHttp",
        ["AllowHttp"] = "AllowPlainHttp",
        ["Retries"] = "Retry",
        ["Heartbeats"] = "Heartbeat",
        ["HealthCheck"] = "Heartbeat",
        ["Backends"] = "Endpoints",
        ["Upstreams"] = "Endpoints",
        ["Servers"] = "Endpoints",
        ["Providers"] = "Endpoints",
        ["Rpm"] = "RequestsPerMinute",
        ["Tpm"] = "TokensPerMinute",
        ["RequestsPerSecond"] = "RequestsPerMinute",
        ["TokensPerSecond"] = "TokensPerMinute",
        ["Concurrency"] = "MaxConcurrency",
        ["MaxConnections"] = "MaxConcurrency",
        ["Parallelism"] = "MaxConcurrency",
    };

    /// <summary>Gets a sentence to append to a message. If the name is a setting of another library, the hint is HaKit's name for that setting.</summary>
    /// <param name="section">The section with the unknown name.</param>
    /// <param name="child">The unknown setting.</param>
    /// <param name="known">The names that the section may have.</param>
    public static string Find(IConfigurationSection section, IConfigurationSection child, IEnumerable<string> known)
    {
        if (child.GetSection("Endpoints").Exists())
            return $" It has Endpoints: give AddHaEndpointPool the section '{child.Path}'.";
        if (child.Key.All(char.IsAsciiDigit) && section.Key.All(char.IsAsciiDigit))
            return " It is a list in the list: remove one pair of brackets.";
        if (child.Key.Equals("Enabled", StringComparison.OrdinalIgnoreCase) || child.Key.Equals("Disabled", StringComparison.OrdinalIgnoreCase))
            return SwitchHint(section);
        if (child.Key.All(char.IsAsciiDigit) && section.Key.Equals("Endpoint", StringComparison.OrdinalIgnoreCase))
            return $" Did you mean 'Endpoints' in place of '{section.Key}'?";
        if (child.Key.All(char.IsAsciiDigit) && child["Name"] is not null && child.Path.LastIndexOf(':') is > 0 and var at && child.Path[..at].LastIndexOf(':') is > 0 and var above)
            return $" It is an endpoint: give AddHaEndpointPool the section '{child.Path[..above]}', which has the Endpoints.";
        var name = s_elsewhere.GetValueOrDefault(child.Key, child.Key);
        if (name != child.Key && known.Contains(name, StringComparer.OrdinalIgnoreCase))
            return $" Did you mean '{name}'?";
        if (NearName.Hint(child.Key, known) is { Length: > 0 } near)
            return near;
        return SettingPlaces.Hint(name) is { Length: > 0 } place ? place : " docs/configuration.md of HaKit lists all settings.";
    }

    // Only hedging and heartbeats have a switch of this name.
    private static string SwitchHint(IConfigurationSection section)
    {
        if (section.Key.Equals("CircuitBreaker", StringComparison.OrdinalIgnoreCase))
            return " To switch a rule off, set it to Off: FailuresRule, ConnectFailuresRule, FailureRatioRule, HeartbeatsRule, RefusalsRule, KeyRule, QuotaRule.";
        if (section.Key.All(char.IsAsciiDigit))
            return " An endpoint has no switch: leave the endpoint out, or call DrainAsync or ForceDownAsync of the pool.";
        return SettingPlaces.Hint("Enabled");
    }
}
