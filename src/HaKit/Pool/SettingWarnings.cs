using HaKit.Attempts;
using HaKit.Failover;
using HaKit.Heartbeats;
using HaKit.Limits;
using HaKit.Selection;

namespace HaKit.Pool;

/// <summary>
/// Finds settings that are valid but probably not meant: settings without an effect, because another setting is missing, and values in a wrong unit. They are
/// logged and not refused, because a later change of the members or of the configuration can give them an effect. Pure.
/// </summary>
internal static class SettingWarnings
{
    private const double LowestPrice = 0.001, LargestFactor = 20;
    private const int SmallestWindow = 512, FewBytes = 1024, FewTokens = 1000;
    private static readonly TimeSpan s_shortestDeadline = TimeSpan.FromSeconds(0.1), s_shortestInterval = TimeSpan.FromSeconds(0.2), s_shortestPeriod = TimeSpan.FromHours(1);

    /// <summary>Gets a sentence for each setting: its name, why it is probably not meant, and the remedy.</summary>
    /// <param name="options">The options of the pool, which are valid.</param>
    /// <param name="isShared">Whether the pool has a link to other replicas.</param>
    public static IEnumerable<string> Find(EndpointPoolOptions options, bool isShared) =>
        [.. OfTimes(options), .. OfDelays(options), .. OfSizes(options), .. OfSelection(options), .. OfGroups(options), .. OfBudget(options), .. OfKeys(options), .. OfSharing(options, isShared), .. options.Endpoints.SelectMany((endpoint, i) => OfEndpoint($"Endpoints:{i}", endpoint))];

    private static IEnumerable<string> OfTimes(EndpointPoolOptions options)
    {
        var deadline = options.TotalRequestTimeout.Timeout;
        if (deadline < s_shortestDeadline)
            yield return $"TotalRequestTimeout:Timeout is {DurationText.OfSetting(deadline)}, shorter than an answer of a model takes. 30 seconds are '00:00:30', in code TimeSpan.FromSeconds(30).";
        if (options.ConnectTimeout > deadline && options.ConnectTimeout != new EndpointPoolOptions().ConnectTimeout)
            yield return $"ConnectTimeout is {DurationText.OfSetting(options.ConnectTimeout)}, longer than the deadline, {DurationText.OfSetting(deadline)}. Make it shorter than TotalRequestTimeout:Timeout.";
        if (options.MaxWait > deadline)
            yield return $"MaxWait is {DurationText.OfSetting(options.MaxWait)} and has no effect, because it is longer than the deadline, {DurationText.OfSetting(deadline)}. Make it shorter than TotalRequestTimeout:Timeout, or leave it out.";
        if (options.Heartbeat is { Enabled: true } heartbeat && heartbeat.Interval < s_shortestInterval)
            yield return $"Heartbeat:Interval is {DurationText.OfSetting(heartbeat.Interval)}, so each endpoint gets {1 / heartbeat.Interval.TotalSeconds:0} heartbeats per second. 10 seconds are '00:00:10', in code TimeSpan.FromSeconds(10).";
        if (options.Objective is { } objective && objective.Period < s_shortestPeriod)
            yield return $"Objective:Period is {DurationText.OfSetting(objective.Period)}, too short for a budget of errors. 30 days are '30.00:00:00', in code TimeSpan.FromDays(30).";
    }

    private static IEnumerable<string> OfDelays(EndpointPoolOptions options)
    {
        var (deadline, usual) = (options.TotalRequestTimeout.Timeout, new EndpointPoolOptions());
        if (options.FirstContent.Timeout > deadline && options.FirstContent.Timeout != usual.FirstContent.Timeout)
            yield return $"FirstContent:Timeout is {DurationText.OfSetting(options.FirstContent.Timeout)} and has no effect, because it is longer than the deadline, {DurationText.OfSetting(deadline)}. Make it shorter than TotalRequestTimeout:Timeout, or leave it out.";
        if (options.Retry.Delay >= deadline && options.Retry.Delay != usual.Retry.Delay)
            yield return $"Retry:Delay is {DurationText.OfSetting(options.Retry.Delay)}, so most retries would begin after the deadline, {DurationText.OfSetting(deadline)}. Make it shorter than TotalRequestTimeout:Timeout.";
    }

    private static IEnumerable<string> OfSizes(EndpointPoolOptions options)
    {
        const string Bytes = "It is a number of bytes: 4 MiB are 4194304.";
        if (options.Http.MaxReplayBytes is > 0 and < FewBytes)
            yield return $"Http:MaxReplayBytes is {options.Http.MaxReplayBytes}, so hardly any request body is kept for a retry. {Bytes}";
        if (options.Streaming.HoldBytes < FewBytes)
            yield return $"Streaming:HoldBytes is {options.Streaming.HoldBytes}, less than the first event of a stream. {Bytes}";
        foreach (var (setting, limits) in options.AccountLimits.Select(static l => ($"AccountLimits:{l.Key}", (LimitOptions?)l.Value)).Concat(options.Endpoints.Select(static (e, i) => ($"Endpoints:{i}:Limits", e.Limits))))
        {
            if (limits?.TokensPerMinute < FewTokens)
                yield return $"{setting}:TokensPerMinute is {limits.TokensPerMinute}, less than one usual call needs. It is a number of tokens: 240 thousand are 240000.";
        }
    }

    private static IEnumerable<string> OfSelection(EndpointPoolOptions options)
    {
        var selection = options.Selection;
        if (options.Endpoints.Count == 0)
            yield break;
        if (selection.Zone is { Length: > 0 } zone && !options.Endpoints.Any(e => e.Zone == zone))
        {
            if (options.Endpoints.FirstOrDefault(e => zone.Equals(e.Zone, StringComparison.OrdinalIgnoreCase)) is { } alike)
                yield return $"Selection:Zone is '{zone}' and Zone of endpoint '{alike.Name}' is '{alike.Zone}': zones are compared with their capital letters. Write both in the same way.";
            else if (options.Endpoints.All(e => e.Zone is null))
                yield return $"Selection:Zone is '{zone}' and has no effect, because no endpoint has a Zone. Set Zone of the endpoints.";
        }
        if (selection.Zone is null && selection.ZonePenalty != new SelectionOptions().ZonePenalty)
            yield return $"Selection:ZonePenalty is {DurationText.OfSetting(selection.ZonePenalty)} and has no effect, because Selection:Zone is not set. Set Selection:Zone to the zone in which this process runs.";
        foreach (var (setting, factor) in new[] { ("OverProvisioning", selection.OverProvisioning), ("AffinityLoad", selection.AffinityLoad) })
        {
            if (factor > LargestFactor)
                yield return string.Create(System.Globalization.CultureInfo.InvariantCulture, $"Selection:{setting} is {factor}. It is a factor and not a percentage: perhaps {factor / 100} is meant.");
        }
        if (options.Endpoints.Any(e => e.InputTokenPrice > 0 || e.OutputTokenPrice > 0))
            yield break;
        const string NoPrice = "and has no effect, because no endpoint has a price. Set InputTokenPrice and OutputTokenPrice of the endpoints.";
        if (selection.Preset == SelectionPreset.Cheapest)
            yield return $"Selection:Preset is Cheapest {NoPrice}";
        else if (selection.SecondsPerPrice > 0)
            yield return string.Create(System.Globalization.CultureInfo.InvariantCulture, $"Selection:SecondsPerPrice is {selection.SecondsPerPrice} {NoPrice}");
    }

    private static IEnumerable<string> OfGroups(EndpointPoolOptions options)
    {
        var usual = new EndpointPoolOptions();
        if (!options.Hedging.Enabled && (options.Hedging.MinimumDelay != usual.Hedging.MinimumDelay || !options.Hedging.MaxShare.Equals(usual.Hedging.MaxShare)))
            yield return "Hedging has settings and no effect, because Hedging:Enabled is false. Set Hedging:Enabled to true.";
        if (options.Hedging.Enabled && options.Hedging.MinimumDelay >= options.TotalRequestTimeout.Timeout)
            yield return $"Hedging:MinimumDelay is {DurationText.OfSetting(options.Hedging.MinimumDelay)}, so no hedge ever starts before the deadline, {DurationText.OfSetting(options.TotalRequestTimeout.Timeout)}. Make it shorter.";
        if (!options.FirstContent.Learned && (options.FirstContent.Minimum != usual.FirstContent.Minimum || !options.FirstContent.Multiplier.Equals(usual.FirstContent.Multiplier)))
            yield return "FirstContent:Minimum and FirstContent:Multiplier have no effect, because FirstContent:Learned is false. Set FirstContent:Timeout, or set FirstContent:Learned to true.";
        if (options.Heartbeat.Detector == FailureDetection.ConsecutiveMisses && !options.Heartbeat.PhiThreshold.Equals(usual.Heartbeat.PhiThreshold))
            yield return $"Heartbeat:PhiThreshold is {options.Heartbeat.PhiThreshold} and has no effect, because Heartbeat:Detector is ConsecutiveMisses. Set Heartbeat:Detector to PhiAccrual.";
        if (options.Heartbeat.Detector == FailureDetection.PhiAccrual && options.CircuitBreaker.MissesToEject != usual.CircuitBreaker.MissesToEject)
            yield return $"CircuitBreaker:MissesToEject is {options.CircuitBreaker.MissesToEject} and has no effect, because Heartbeat:Detector is PhiAccrual. Set Heartbeat:PhiThreshold.";
        if (options.Streaming.Continuation == StreamContinuation.On && options.Endpoints.Count > 0 && !options.Endpoints.Any(CanContinue))
            yield return "Streaming:Continuation is On and has no effect, because no endpoint can continue an answer. Set Continuation of the endpoints to AssistantPrefix or Instruction.";
    }

    private static IEnumerable<string> OfBudget(EndpointPoolOptions options)
    {
        if (options.RetryBudget.PerSuccess > 1)
            yield return string.Create(System.Globalization.CultureInfo.InvariantCulture, $"RetryBudget:PerSuccess is {options.RetryBudget.PerSuccess}, so each success pays for more than one retry, and the budget limits nothing. 10 % are 0.1.");
        if (options.Hedging.Enabled && WhyNoHedge(options) is { } why)
            yield return $"Hedging:Enabled is true and has no effect, because {why}. Raise it, or set Hedging:Enabled to false.";
        if (options.RetryBudget.Cap > 0 && options.RetryBudget.Cap < options.RetryBudget.Cost)
            yield return string.Create(System.Globalization.CultureInfo.InvariantCulture, $"RetryBudget:Cap is {options.RetryBudget.Cap}, less than RetryBudget:Cost, {options.RetryBudget.Cost}, so the budget never pays a retry. Raise Cap.");
    }

    private static string? WhyNoHedge(EndpointPoolOptions options)
    {
        if (options.Retry.MaxRetryAttempts == 0)
            return "Retry:MaxRetryAttempts is 0 and allows one attempt only";
        if (options.RetryBudget.HedgesPerCall <= 0)
            return "RetryBudget:HedgesPerCall is 0";
        return options.RetryBudget is { Cap: <= 0, Cost: > 0 } ? "RetryBudget:Cap is 0 and pays for no hedge" : null;
    }

    private static IEnumerable<string> OfKeys(EndpointPoolOptions options)
    {
        foreach (var keys in options.Endpoints.Where(e => e is { KeyName: not null, Credential: not null }).GroupBy(e => (e.KeyName, e.Provider)))
        {
            if (keys.DistinctBy(e => e.Credential).Count() > 1)
                yield return $"KeyName of '{string.Join("' and '", keys.Select(e => e.Name))}' is '{keys.Key.KeyName}' for different keys: if one key is refused, the pool would avoid the others too. Give each key a name of its own.";
        }
    }

    private static IEnumerable<string> OfSharing(EndpointPoolOptions options, bool isShared)
    {
        if (!isShared && (options.Sharing.OrderKey is not null || options.Sharing.Usage))
            yield return $"Sharing:{(options.Sharing.Usage ? "Usage" : "OrderKey")} is set and has no effect, because the pool has no link to other replicas. Call ShareThroughRedis (package HaKit.Redis).";
        if (isShared && options.Sharing.Usage && options.AccountLimits.Values.Concat(options.Endpoints.Select(e => e.Limits)).All(l => l is not { RequestsPerMinute: not null } and not { TokensPerMinute: not null }))
            yield return "Sharing:Usage is true and has no effect, because no endpoint and no account has a limit per minute. Set Limits of the endpoints, or AccountLimits.";
    }

    private static IEnumerable<string> OfEndpoint(string path, EndpointOptions endpoint)
    {
        if (endpoint.ContinuationInstruction is not null && endpoint.Continuation != Continuation.Instruction)
            yield return $"{path}:ContinuationInstruction of '{endpoint.Name}' has no effect, because Continuation is not Instruction. Set Continuation to Instruction.";
        if (endpoint.Headers.Any(h => h.Key.Equals("Authorization", StringComparison.OrdinalIgnoreCase) && ShownText.BeginsAsKey(h.Value)))
            yield return $"{path}:Headers of '{endpoint.Name}' has the header 'Authorization' without a scheme. Write 'Bearer ' before the key, or give the key as Credential.";
        if (endpoint.RepeatsTail && !CanContinue(endpoint))
            yield return $"{path}:RepeatsTail of '{endpoint.Name}' has no effect, because the endpoint continues no answer. Set Continuation to AssistantPrefix or Instruction.";
        if (endpoint.ContextWindow is <= SmallestWindow)
            yield return $"{path}:ContextWindow of '{endpoint.Name}' is {endpoint.ContextWindow} tokens. It is a number of tokens: 128 thousand are 128000.";
        foreach (var (setting, price) in new[] { ("InputTokenPrice", endpoint.InputTokenPrice), ("OutputTokenPrice", endpoint.OutputTokenPrice) })
        {
            if (price is > 0 and < LowestPrice)
                yield return string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{path}:{setting} of '{endpoint.Name}' is {price}. It is the price of one million tokens: perhaps {price * 1_000_000:0.####} is meant.");
        }
    }

    private static bool CanContinue(EndpointOptions endpoint) => DeclaredContinuation.Get(endpoint) != Continuation.None;
}
