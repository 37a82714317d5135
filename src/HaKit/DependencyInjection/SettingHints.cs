using HaKit.Attempts;
using Microsoft.Extensions.Configuration;

namespace HaKit.DependencyInjection;

/// <summary>Finds the remedy for an unknown name in a pool's section: the name or the place that was probably meant. Pure.</summary>
internal static class SettingHints
{
    // The names of settings in other libraries, without underscores and hyphens, each with the name that HaKit has for the same setting. A name may lead to
    // another name of this table: "TimeoutSeconds" means "Timeout" in a group that has it, and "TotalRequestTimeout" in the pool's section.
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
        ["MaxRetries"] = "MaxRetryAttempts",
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
        ["MaxParallelRequests"] = "MaxConcurrency",
        ["MaxConcurrentRequests"] = "MaxConcurrency",
        ["ApiBase"] = "Address",
        ["ApiUrl"] = "Address",
        ["EndpointUrl"] = "Address",
        ["ServerUrl"] = "Address",
        ["ServiceUrl"] = "Address",
        ["AccessKey"] = "Credential",
        ["AccessToken"] = "Credential",
        ["AuthToken"] = "Credential",
        ["SecretKey"] = "Credential",
        ["Password"] = "Credential",
        ["DeploymentId"] = "Model",
        ["ApiType"] = "Dialect",
        ["Format"] = "Dialect",
        ["Protocol"] = "Dialect",
        ["Type"] = "Dialect",
        ["Order"] = "Tier",
        ["Destinations"] = "Endpoints",
        ["Clusters"] = "Endpoints",
        ["Deployments"] = "Endpoints",
        ["Hosts"] = "Endpoints",
        ["Instances"] = "Endpoints",
        ["Members"] = "Endpoints",
        ["ModelList"] = "Endpoints",
        ["Models"] = "Endpoints",
        ["Nodes"] = "Endpoints",
        ["Targets"] = "Endpoints",
        ["LoadBalancingPolicy"] = "Preset",
        ["RoutingStrategy"] = "Preset",
        ["MaxRetryCount"] = "MaxRetryAttempts",
        ["NumRetries"] = "MaxRetryAttempts",
        ["RetryAttempts"] = "MaxRetryAttempts",
        ["AllowedFails"] = "FailuresToEject",
        ["ExceptionsAllowedBeforeBreaking"] = "FailuresToEject",
        ["HandledEventsAllowedBeforeBreaking"] = "FailuresToEject",
        ["CooldownTime"] = "BreakDuration",
        ["BackoffDelay"] = "Delay",
        ["BaseDelay"] = "Delay",
        ["InitialDelay"] = "Delay",
        ["MaxBackoff"] = "MaxDelay",
        ["RequestTimeout"] = "TotalRequestTimeout",
        ["TimeoutInSeconds"] = "Timeout",
        ["TimeoutSeconds"] = "Timeout",
        ["HealthCheckPath"] = "HealthPath",
        ["HealthUrl"] = "HealthPath",
        ["ContextLength"] = "ContextWindow",
        ["MaxContextTokens"] = "ContextWindow",
        ["MaxInputTokens"] = "ContextWindow",
        ["InputCostPerToken"] = "InputTokenPrice",
        ["OutputCostPerToken"] = "OutputTokenPrice",
    };

    // The names of settings in other libraries for which HaKit has no setting, each with the remedy.
    private static readonly Dictionary<string, string> s_remedies = new(StringComparer.OrdinalIgnoreCase)
    {
        ["ApiVersion"] = " Append the version to the Address, such as '?api-version=2024-10-21'.",
        ["ConnectionString"] = " Give its address as Address, and its key as Credential.",
        ["Fallback"] = Fallbacks,
        ["Fallbacks"] = Fallbacks,
        ["Organization"] = Organization,
        ["OrganizationId"] = Organization,
        ["OrgId"] = Organization,
        ["SessionAffinity"] = " Affinity belongs to each call: set AffinityKey of its RequestProfile.",
    };

    private const string Fallbacks = " Give each fallback an endpoint of its own, with a higher Tier.";
    private const string Organization = " Set it in Headers: { \"OpenAI-Organization\": \"…\" }.";

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
        if (Separated(section, child.Key, known) is { } separated)
            return separated;
        return OfName(child.Key, known);
    }

    private static string OfName(string key, IEnumerable<string> known)
    {
        // Other libraries and tools write "api_base" or "api-base" for "ApiBase".
        var name = key.Replace("_", "", StringComparison.Ordinal).Replace("-", "", StringComparison.Ordinal);
        var meant = known.FirstOrDefault(k => k.Equals(name, StringComparison.OrdinalIgnoreCase));
        while (meant is null && s_elsewhere.TryGetValue(name, out var next))
        {
            name = next;
            meant = known.FirstOrDefault(k => k.Equals(name, StringComparison.OrdinalIgnoreCase));
        }
        if (meant is not null)
            return $" Did you mean '{meant}'?";
        if (s_remedies.TryGetValue(name, out var remedy))
            return remedy;
        if (NearName.Hint(key, known) is { Length: > 0 } near)
            return near;
        return SettingPlaces.Hint(name) is { Length: > 0 } place ? place : " docs/configuration.md of HaKit lists all settings.";
    }

    // Endpoints_0, Retry_MaxRetryAttempts: the name of an environment variable with one underscore in place of two.
    private static string? Separated(IConfigurationSection section, string key, IEnumerable<string> known)
    {
        var at = key.IndexOf('_', StringComparison.Ordinal);
        if (at < 1 || at + 1 == key.Length || !known.Contains(key[..at], StringComparer.OrdinalIgnoreCase))
            return null;
        var rest = key[(at + 1)..];
        if (!char.IsAsciiDigit(rest[0]) && SettingPlaces.Hint(rest).Length == 0)
            return null;
        return $" In the name of an environment variable, two underscores separate the parts: '{section.Path.Replace(":", "__", StringComparison.Ordinal)}__{key[..at]}__{rest}'.";
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
