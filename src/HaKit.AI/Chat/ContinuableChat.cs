using Microsoft.Extensions.AI;

namespace HaKit.AI;

/// <summary>What in the options and messages of a chat stands in the way of continuing its answer. Pure.</summary>
internal static class ContinuableChat
{
    /// <summary>Finds the reason; null: nothing stands in the way.</summary>
    /// <param name="messages">The messages.</param>
    /// <param name="options">The options.</param>
    public static NotContinuedReason? FindObstacle(IReadOnlyList<ChatMessage> messages, ChatOptions? options)
    {
        if (messages.Count == 0 || messages[^1].Role == ChatRole.Assistant)
            return NotContinuedReason.OtherRequest;
        if (options is null)
            return null;
        if (options.ConversationId is not null || options.ContinuationToken is not null || options.AllowBackgroundResponses == true)
            return NotContinuedReason.StoredState;
        if (options.ResponseFormat is not null and not ChatResponseFormatText)
            return NotContinuedReason.StructuredOutput;
        if (options.StopSequences is { Count: > 0 })
            return NotContinuedReason.StopSequences;
        if (options.Reasoning is { Effort: not null and not ReasoningEffort.None })
            return NotContinuedReason.Reasoning;
        // What the application writes for one client alone cannot be seen from here.
        return options.RawRepresentationFactory is not null ? NotContinuedReason.OtherRequest : InProperties(options.AdditionalProperties);
    }

    private static NotContinuedReason? InProperties(AdditionalPropertiesDictionary? properties)
    {
        if (properties is null)
            return null;
        if (properties.TryGetValue("n", out var choices) && choices is not (null or 1))
            return NotContinuedReason.SeveralChoices;
        return properties.TryGetValue("logprobs", out var logs) && logs is not (null or false) || properties.ContainsKey("top_logprobs") ? NotContinuedReason.LogProbabilities : null;
    }
}
