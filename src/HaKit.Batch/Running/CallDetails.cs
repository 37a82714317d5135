using HaKit.AI;
using Microsoft.Extensions.AI;

namespace HaKit.Batch.Running;

/// <summary>Turns the details of a served call into an answer of a batch.</summary>
internal static class CallDetails
{
    public static CallAnswer<TResult> Answer<TResult>(this CallDetail detail, IReadOnlyList<TResult> results) => new()
    {
        Results = results,
        Endpoint = detail.Endpoint,
        Attempts = detail.AttemptCount,
        PerhapsBilled = detail.PerhapsBilled,
        WasThrottled = detail.Attempts.Any(static a => CallFailure.IsThrottle(a.Fault)),
        InputTokens = detail.InputTokens,
        OutputTokens = detail.OutputTokens,
    };

    /// <summary>Gets a number of tokens that a server reported. Null if it cannot be meant: negative, or above the range of the pool's own counts.</summary>
    public static long? Plausible(long? tokens) => tokens is >= 0 and <= int.MaxValue ? tokens : null;

    /// <summary>
    /// Reads the details from the properties of an answer, if a client that wraps the pool's client returned it. The properties do not contain the number of
    /// attempts that may have been billed, so it counts as one.
    /// </summary>
    public static CallAnswer<TResult> ReadAnswer<TResult>(IReadOnlyList<TResult> results, AdditionalPropertiesDictionary? properties)
    {
        var attempts = TextOf(properties, ChatStory.AttemptsKey);
        return new()
        {
            Results = results,
            Endpoint = TextOf(properties, ChatStory.EndpointKey),
            Attempts = attempts is null ? 1 : attempts.Split(';').Length,
            PerhapsBilled = TextOf(properties, ChatStory.CostKey)?.StartsWith('≥') == true ? 1 : 0,
        };
    }

    private static string? TextOf(AdditionalPropertiesDictionary? properties, string key) => properties is not null && properties.TryGetValue(key, out var value) ? value as string : null;
}
