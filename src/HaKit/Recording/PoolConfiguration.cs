using System.Buffers;
using System.Globalization;
using System.Text.Json;
using HaKit.Limits;

namespace HaKit.Recording;

/// <summary>
/// Writes a pool's options as JSON in the shape of a configuration section, so that they can be bound again. Settings that could contain an address, a file, a
/// person or a secret are left out: addresses, headers, credentials, paths, client objects, and the settings for other replicas. A test compares the written
/// settings with the options.
/// </summary>
internal static class PoolConfiguration
{
    /// <summary>Writes the options of a pool.</summary>
    public static byte[] Write(string pool, EndpointPoolOptions options)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("Pool", pool);
            json.WriteStartArray("Endpoints");
            foreach (var endpoint in options.Endpoints)
                Endpoint(json, endpoint);
            json.WriteEndArray();
            json.WriteStartObject("AccountLimits");
            foreach (var (account, limits) in options.AccountLimits)
                Limits(json, account, limits);
            json.WriteEndObject();
            Pool(json, options);
            CircuitBreaker(json, options);
            json.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Gets the models that the endpoints declare.</summary>
    public static HashSet<string> ModelsOf(EndpointPoolOptions options) => [.. options.Endpoints.Select(e => e.Model).OfType<string>()];

    private static void Endpoint(Utf8JsonWriter json, EndpointOptions endpoint)
    {
        json.WriteStartObject();
        json.WriteString("Name", endpoint.Name);
        json.WriteNumber("Tier", endpoint.Tier);
        json.WriteNumber("Weight", endpoint.Weight);
        Text(json, "Zone", endpoint.Zone);
        Text(json, "Account", endpoint.Account);
        Text(json, "KeyName", endpoint.KeyName);
        Text(json, "Region", endpoint.Region);
        Text(json, "Provider", endpoint.Provider);
        Text(json, "Model", endpoint.Model);
        json.WriteString("Dialect", endpoint.Dialect.ToString());
        Number(json, "ContextWindow", endpoint.ContextWindow);
        Text(json, "Residency", endpoint.Residency);
        json.WriteBoolean("Tools", endpoint.Tools);
        json.WriteBoolean("Vision", endpoint.Vision);
        json.WriteStartArray("Tags");
        foreach (var tag in endpoint.Tags)
            json.WriteStringValue(tag);
        json.WriteEndArray();
        if (endpoint.Limits is { } limits)
            Limits(json, "Limits", limits);
        json.WriteNumber("InputTokenPrice", endpoint.InputTokenPrice);
        json.WriteNumber("OutputTokenPrice", endpoint.OutputTokenPrice);
        Timeout(json, "AttemptTimeout", endpoint.AttemptTimeout);
        json.WriteEndObject();
    }

    private static void Limits(Utf8JsonWriter json, string name, LimitOptions limits)
    {
        json.WriteStartObject(name);
        Number(json, "MaxConcurrency", limits.MaxConcurrency);
        Number(json, "RequestsPerMinute", limits.RequestsPerMinute);
        Number(json, "TokensPerMinute", limits.TokensPerMinute);
        json.WriteBoolean("AdaptiveConcurrency", limits.AdaptiveConcurrency);
        json.WriteEndObject();
    }

    private static void Pool(Utf8JsonWriter json, EndpointPoolOptions options)
    {
        json.WriteBoolean("AllowEmpty", options.AllowEmpty);
        Timeout(json, "TotalRequestTimeout", options.TotalRequestTimeout);
        Timeout(json, "AttemptTimeout", options.AttemptTimeout);
        Time(json, "ConnectTimeout", options.ConnectTimeout);
        json.WriteStartObject("FirstContent");
        json.WriteBoolean("Learned", options.FirstContent.Learned);
        Time(json, "Timeout", options.FirstContent.Timeout);
        Time(json, "Minimum", options.FirstContent.Minimum);
        json.WriteNumber("Multiplier", options.FirstContent.Multiplier);
        json.WriteNumber("DeadlineShare", options.FirstContent.DeadlineShare);
        json.WriteEndObject();
        json.WriteStartObject("Selection");
        json.WriteString("Preset", options.Selection.Preset.ToString());
        json.WriteNumber("Sample", options.Selection.Sample);
        json.WriteBoolean("StrictTiers", options.Selection.StrictTiers);
        json.WriteNumber("OverProvisioning", options.Selection.OverProvisioning);
        json.WriteNumber("FailOpenBelow", options.Selection.FailOpenBelow);
        json.WriteNumber("AffinityLoad", options.Selection.AffinityLoad);
        Text(json, "Zone", options.Selection.Zone);
        Time(json, "ZonePenalty", options.Selection.ZonePenalty);
        json.WriteNumber("SecondsPerPrice", options.Selection.SecondsPerPrice);
        json.WriteEndObject();
        Calls(json, options);
        json.WriteStartObject("Heartbeat");
        json.WriteBoolean("Enabled", options.Heartbeat.Enabled);
        Time(json, "Interval", options.Heartbeat.Interval);
        json.WriteNumber("Jitter", options.Heartbeat.Jitter);
        Time(json, "Timeout", options.Heartbeat.Timeout);
        json.WriteBoolean("LearnTimeout", options.Heartbeat.LearnTimeout);
        Time(json, "MinTimeout", options.Heartbeat.MinTimeout);
        Time(json, "SparingInterval", options.Heartbeat.SparingInterval);
        json.WriteString("Detector", options.Heartbeat.Detector.ToString());
        json.WriteNumber("PhiThreshold", options.Heartbeat.PhiThreshold);
        json.WriteEndObject();
        if (options.MaxWait is { } wait)
            Time(json, "MaxWait", wait);
        json.WriteNumber("MaxWaitingCalls", options.MaxWaitingCalls);
    }

    private static void Calls(Utf8JsonWriter json, EndpointPoolOptions options)
    {
        json.WriteStartObject("Retry");
        Number(json, "MaxRetryAttempts", options.Retry.MaxRetryAttempts);
        Number(json, "MaxAttemptsPerEndpoint", options.Retry.MaxAttemptsPerEndpoint);
        Time(json, "Delay", options.Retry.Delay);
        Time(json, "MaxDelay", options.Retry.MaxDelay);
        json.WriteNumber("MinimumChance", options.Retry.MinimumChance);
        json.WriteEndObject();
        json.WriteStartObject("Streaming");
        Time(json, "IdleTimeout", options.Streaming.IdleTimeout);
        json.WriteNumber("HoldBytes", options.Streaming.HoldBytes);
        json.WriteString("HoldUntil", options.Streaming.HoldUntil.ToString());
        json.WriteEndObject();
        json.WriteStartObject("Hedging");
        json.WriteBoolean("Enabled", options.Hedging.Enabled);
        json.WriteNumber("MaxShare", options.Hedging.MaxShare);
        Time(json, "MinimumDelay", options.Hedging.MinimumDelay);
        json.WriteEndObject();
        json.WriteStartObject("RetryBudget");
        json.WriteNumber("PerSuccess", options.RetryBudget.PerSuccess);
        json.WriteNumber("Cap", options.RetryBudget.Cap);
        json.WriteNumber("Cost", options.RetryBudget.Cost);
        json.WriteNumber("HedgesPerCall", options.RetryBudget.HedgesPerCall);
        json.WriteEndObject();
    }

    private static void CircuitBreaker(Utf8JsonWriter json, EndpointPoolOptions options)
    {
        var breaker = options.CircuitBreaker;
        json.WriteStartObject("CircuitBreaker");
        json.WriteNumber("ConnectFailuresToEject", breaker.ConnectFailuresToEject);
        json.WriteNumber("FailuresToEject", breaker.FailuresToEject);
        json.WriteNumber("FailureRatio", breaker.FailureRatio);
        json.WriteNumber("MinimumThroughput", breaker.MinimumThroughput);
        Time(json, "SamplingDuration", breaker.SamplingDuration);
        Time(json, "BreakDuration", breaker.BreakDuration);
        Time(json, "MaxBreakDuration", breaker.MaxBreakDuration);
        json.WriteNumber("BreakJitter", breaker.BreakJitter);
        Time(json, "EjectionMemory", breaker.EjectionMemory);
        Time(json, "TrialTimeout", breaker.TrialTimeout);
        Time(json, "CooldownCap", breaker.CooldownCap);
        Time(json, "KeyTrial", breaker.KeyTrial);
        Time(json, "QuotaTrial", breaker.QuotaTrial);
        json.WriteString("FailuresRule", breaker.FailuresRule.ToString());
        json.WriteString("ConnectFailuresRule", breaker.ConnectFailuresRule.ToString());
        json.WriteString("FailureRatioRule", breaker.FailureRatioRule.ToString());
        json.WriteString("HeartbeatsRule", breaker.HeartbeatsRule.ToString());
        json.WriteString("RefusalsRule", breaker.RefusalsRule.ToString());
        json.WriteString("KeyRule", breaker.KeyRule.ToString());
        json.WriteString("QuotaRule", breaker.QuotaRule.ToString());
        Time(json, "ThrottleCooldown", breaker.ThrottleCooldown);
        Time(json, "MaxThrottleCooldown", breaker.MaxThrottleCooldown);
        Time(json, "SlowStartDuration", breaker.SlowStartDuration);
        json.WriteNumber("SlowStartInitialShare", breaker.SlowStartInitialShare);
        json.WriteNumber("MissesToEject", breaker.MissesToEject);
        json.WriteNumber("HitsToRecover", breaker.HitsToRecover);
        Time(json, "SelfSuspicion", breaker.SelfSuspicion);
        Time(json, "LateTimers", breaker.LateTimers);
        Time(json, "PauseGrace", breaker.PauseGrace);
        json.WriteEndObject();
    }

    private static void Timeout(Utf8JsonWriter json, string name, TimeoutOptions? timeout)
    {
        if (timeout is null)
            return;
        json.WriteStartObject(name);
        Time(json, "Timeout", timeout.Timeout);
        json.WriteEndObject();
    }

    private static void Time(Utf8JsonWriter json, string name, TimeSpan time) => json.WriteString(name, time.ToString("c", CultureInfo.InvariantCulture));

    private static void Text(Utf8JsonWriter json, string name, string? text)
    {
        if (text is not null)
            json.WriteString(name, text);
    }

    private static void Number(Utf8JsonWriter json, string name, int? number)
    {
        if (number is { } value)
            json.WriteNumber(name, value);
    }
}
