using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace HaKit.AI;

/// <summary>
/// Reads and writes the history of an answer in its <see cref="ChatResponse.AdditionalProperties"/>. In a stream, the history is in the properties of the first
/// update, except for the cost and the seams, which become known later. All values are strings, so that answers can be stored and sent as JSON. Thread-safe.
/// </summary>
public static class ChatStory
{
    private const char AtLeast = '≥';

    /// <summary>The key for the name of the endpoint that served the call.</summary>
    public const string EndpointKey = "hakit.endpoint";

    /// <summary>
    /// The key for the attempts in order: <c>gpt: Throttled (429) after 0.2 s; claude: served after 0.8 s</c>. Absent if there was only one attempt.
    /// </summary>
    public const string AttemptsKey = "hakit.attempts";

    /// <summary>The key for the parameters that were left out because the endpoint does not support them. Absent if no parameter was left out.</summary>
    public const string DroppedKey = "hakit.dropped";

    /// <summary>
    /// The key for the cost of the call, computed from the endpoint's prices and the reported tokens: <c>0.00042</c>, or <c>≥0.00042</c> if another attempt
    /// (for example a hedge) may have been billed too. In a stream, the update that reports the tokens has this property. Absent if prices or tokens are not
    /// known.
    /// </summary>
    public const string CostKey = "hakit.cost";

    /// <summary>
    /// The key for the places at which the answer was cut and another endpoint continued it: <c>gpt → claude after 120 characters (IdleTimeout), 0.4 s</c>. In
    /// a stream, the last updates have this property. Absent if the answer was not cut.
    /// </summary>
    public const string SeamsKey = "hakit.seams";

    /// <summary>
    /// Gets the name of the endpoint that served the answer. Null if the answer did not come from a pool. Null also if the answer was stored as JSON, for example
    /// in a cache or a file, because its properties then describe an earlier call.
    /// </summary>
    /// <param name="response">The answer from the client, or an answer that was combined from updates.</param>
    public static string? GetServingEndpoint(this ChatResponse response)
    {
        ArgumentNullException.ThrowIfNull(response);
        if (ServedBy(response.AdditionalProperties) is { } name)
            return name;
        // When updates with a message's id are combined, their properties become the message's properties.
        foreach (var message in response.Messages)
        {
            if (ServedBy(message.AdditionalProperties) is { } inMessage)
                return inMessage;
        }

        return null;
    }

    /// <summary>Gets the name of the endpoint that serves the stream, from its first update. Null for other updates.</summary>
    /// <param name="update">The update.</param>
    public static string? GetServingEndpoint(this ChatResponseUpdate update)
    {
        ArgumentNullException.ThrowIfNull(update);
        return ServedBy(update.AdditionalProperties);
    }

    // A value that was stored as JSON comes back as a JSON element, not as a text. It describes an earlier call, so it is not returned.
    private static string? ServedBy(AdditionalPropertiesDictionary? properties) =>
        properties is not null && properties.TryGetValue(EndpointKey, out var name) ? name as string : null;

    /// <summary>Gets the name of the endpoint that served the answer, even if the answer was stored as JSON. Null if the properties have no name.</summary>
    internal static string? NamedIn(AdditionalPropertiesDictionary? properties) =>
        properties is not null && properties.TryGetValue(EndpointKey, out var name) ? TextOf(name) : null;

    /// <summary>Gets a property's text. A value that was stored as JSON comes back as a JSON element.</summary>
    internal static string? TextOf(object? value) => value as string ?? (value is JsonElement { ValueKind: JsonValueKind.String } json ? json.GetString() : null);

    /// <summary>Adds the details to a copy of the properties, because the client that made the answer may share them.</summary>
    internal static AdditionalPropertiesDictionary AddProperties(AdditionalPropertiesDictionary? properties, CallDetail detail, ChatParameters dropped)
    {
        var copy = properties is null ? new AdditionalPropertiesDictionary() : new AdditionalPropertiesDictionary(properties);
        copy[EndpointKey] = detail.Endpoint;
        if (detail.Attempts.Count > 1)
            copy[AttemptsKey] = string.Join("; ", detail.Attempts.Select(a => DescribeAttempt(a, detail.Endpoint)));
        if (dropped != ChatParameters.None)
            copy[DroppedKey] = dropped.ToString();
        return copy;
    }

    /// <summary>Computes what the tokens cost at an endpoint. Null if this is not known.</summary>
    internal static string? CostOf(UsageDetails? usage, PoolEndpoint? endpoint, CallDetail detail)
    {
        if (usage is null || endpoint is null || endpoint.InputTokenPrice + endpoint.OutputTokenPrice <= 0)
            return null;
        var cost = ((usage.InputTokenCount ?? 0) * endpoint.InputTokenPrice + (usage.OutputTokenCount ?? 0) * endpoint.OutputTokenPrice) / 1e6;
        return Written(cost, isAtLeast: detail.PerhapsBilled > 0);
    }

    /// <summary>Adds up the costs of the parts of one call. Null if the cost of a part is not known.</summary>
    internal static string? SumOf(IEnumerable<AdditionalPropertiesDictionary?> parts)
    {
        var (sum, isAtLeast) = (0.0, false);
        foreach (var part in parts)
        {
            if (part is null || !part.TryGetValue(CostKey, out var value) || value is not string { Length: > 0 } cost)
                return null;
            isAtLeast |= cost[0] == AtLeast;
            sum += double.Parse(cost.TrimStart(AtLeast), CultureInfo.InvariantCulture);
        }
        return Written(sum, isAtLeast);
    }

    private static string Written(double cost, bool isAtLeast) => string.Create(CultureInfo.InvariantCulture, $"{(isAtLeast ? AtLeast : "")}{cost:0.############}");

    private static string DescribeAttempt(AttemptRecord attempt, string server) => attempt.Fault is null && attempt.Endpoint == server
        ? $"{attempt.Endpoint}: served after {DurationText.Write(attempt.Duration)}"
        : attempt.ToString();
}
