using Microsoft.Extensions.AI;

namespace HaKit.AI;

/// <summary>Checks whether the options and messages of a chat allow a continuation of its answer. Pure.</summary>
internal static class ContinuableChat
{
    /// <summary>Finds the reason against a continuation. Null: a continuation is possible.</summary>
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
        if (options.Tools?.Any(static t => t is HostedWebSearchTool or HostedFileSearchTool) == true)
            return NotContinuedReason.Citations;
        // A factory of raw options is the application's code for one client, and its result is not visible here.
        return options.RawRepresentationFactory is not null ? NotContinuedReason.OtherRequest : InProperties(options.AdditionalProperties);
    }

    private static NotContinuedReason? InProperties(AdditionalPropertiesDictionary? properties)
    {
        if (properties is null)
            return null;
        foreach (var (name, value) in properties)
        {
            if (value is not (null or false) && ObstacleOf(name, value) is { } reason)
                return reason;
        }
        return null;
    }

    // The names are the names of the wire format, because clients pass additional properties on under these names.
    private static NotContinuedReason? ObstacleOf(string name, object value) => name switch
    {
        "n" => value is 1 ? null : NotContinuedReason.SeveralChoices,
        "logprobs" or "top_logprobs" => NotContinuedReason.LogProbabilities,
        "stop" or "stop_sequences" => NotContinuedReason.StopSequences,
        "response_format" or "output_format" => NotContinuedReason.StructuredOutput,
        "reasoning_effort" or "reasoning" or "thinking" or "enable_thinking" => value is "none" ? null : NotContinuedReason.Reasoning,
        "audio" or "modalities" => NotContinuedReason.Audio,
        "web_search_options" or "search_parameters" => NotContinuedReason.Citations,
        _ => null,
    };
}
