using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace HaKit.AI;

/// <summary>
/// What an answer says of how it came about, in its <see cref="ChatResponse.AdditionalProperties"/> (of a stream: in those of its first update). All values are
/// strings, so that answers can be stored and sent on as JSON.
/// </summary>
public static class ChatStory
{
    /// <summary>The name of the endpoint that served the call.</summary>
    public const string EndpointKey = "hakit.endpoint";

    /// <summary>What was tried, in order: <c>gpt: Throttled (429) after 0.2 s; claude: served after 0.8 s</c>. Absent when the first attempt served.</summary>
    public const string AttemptsKey = "hakit.attempts";

    /// <summary>Which parameters were left out, because the endpoint does not support them. Absent when none were.</summary>
    public const string DroppedKey = "hakit.dropped";

    /// <summary>
    /// What the call cost by the endpoint's prices and the tokens that the answer reports (of a stream: on the update that reports them): <c>0.00042</c>, or <c>≥0.00042</c>
    /// when another attempt, such as a hedge that lost, was perhaps billed too. Absent when prices or tokens are not known.
    /// </summary>
    public const string CostKey = "hakit.cost";

    /// <summary>
    /// Where the answer was cut and another endpoint went on with it: <c>gpt → claude after 120 characters (IdleTimeout), 0.4 s</c>; on the updates of a stream that end
    /// it. Absent for an answer of one piece.
    /// </summary>
    public const string SeamsKey = "hakit.seams";

    /// <summary>
    /// Gets the name of the endpoint that served the answer; null when no pool did, and for an answer that came out of a cache or a file: its properties, which came
    /// back as JSON, tell of an earlier call.
    /// </summary>
    /// <param name="response">The answer, as it came or put together from updates.</param>
    public static string? GetServingEndpoint(this ChatResponse response)
    {
        ArgumentNullException.ThrowIfNull(response);
        if (ServedBy(response.AdditionalProperties) is { } name)
            return name;
        // Updates with a message's id are put together into that message's properties.
        foreach (var message in response.Messages)
        {
            if (ServedBy(message.AdditionalProperties) is { } inMessage)
                return inMessage;
        }

        return null;
    }

    /// <summary>The name of the endpoint that serves the stream, on its first update; null on others.</summary>
    /// <param name="update">The update.</param>
    public static string? GetServingEndpoint(this ChatResponseUpdate update)
    {
        ArgumentNullException.ThrowIfNull(update);
        return ServedBy(update.AdditionalProperties);
    }

    // What was stored as JSON comes back as its elements, and not as text.
    private static string? ServedBy(AdditionalPropertiesDictionary? properties) =>
        properties is not null && properties.TryGetValue(EndpointKey, out var name) ? name as string : null;

    internal static string? NamedIn(AdditionalPropertiesDictionary? properties) =>
        properties is not null && properties.TryGetValue(EndpointKey, out var name) ? TextOf(name) : null;

    /// <summary>A property's text: those that were stored as JSON come back as its elements.</summary>
    internal static string? TextOf(object? value) => value as string ?? (value is JsonElement { ValueKind: JsonValueKind.String } json ? json.GetString() : null);

    /// <summary>The properties with the story in them: copied, because the client that made the answer may share them.</summary>
    internal static AdditionalPropertiesDictionary AddProperties(AdditionalPropertiesDictionary? properties, CallDetail detail, ChatParameters dropped)
    {
        var told = properties is null ? new AdditionalPropertiesDictionary() : new AdditionalPropertiesDictionary(properties);
        told[EndpointKey] = detail.Endpoint;
        if (detail.Attempts.Count > 1)
            told[AttemptsKey] = string.Join("; ", detail.Attempts.Select(a => DescribeAttempt(a, detail.Endpoint)));
        if (dropped != ChatParameters.None)
            told[DroppedKey] = dropped.ToString();
        return told;
    }

    /// <summary>What the tokens cost at an endpoint; null when that is not known.</summary>
    internal static string? CostOf(UsageDetails? usage, PoolEndpoint? endpoint, CallDetail detail)
    {
        if (usage is null || endpoint is null || endpoint.InputTokenPrice + endpoint.OutputTokenPrice <= 0)
            return null;
        var cost = ((usage.InputTokenCount ?? 0) * endpoint.InputTokenPrice + (usage.OutputTokenCount ?? 0) * endpoint.OutputTokenPrice) / 1e6;
        return string.Create(CultureInfo.InvariantCulture, $"{(detail.PerhapsBilled > 0 ? "≥" : "")}{cost:0.############}");
    }

    private static string DescribeAttempt(AttemptRecord attempt, string server) => attempt.Fault is null && attempt.Endpoint == server
        ? string.Create(CultureInfo.InvariantCulture, $"{attempt.Endpoint}: served after {attempt.Duration.TotalSeconds:0.###} s")
        : attempt.ToString();
}
