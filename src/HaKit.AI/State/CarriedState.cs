using Microsoft.Extensions.AI;

namespace HaKit.AI;

/// <summary>Describes one piece of state in a call.</summary>
/// <param name="Kind">The kind of state.</param>
/// <param name="Maker">The endpoint that created the state. Null: not known.</param>
/// <param name="Content">The reasoning, if the state is reasoning.</param>
internal readonly record struct CarriedState(StateKind Kind, PoolEndpoint? Maker, TextReasoningContent? Content = null);

/// <summary>Finds the endpoint that created an answer. The lookup is made only if the answer contains state.</summary>
internal readonly struct Maker(EndpointPool pool, string endpoint)
{
    public PoolEndpoint? Find() => pool.Find(endpoint);
}

/// <summary>Finds state in requests, and remembers the state in answers.</summary>
internal sealed class StateFinder(StateOrigins origins)
{
    // The names under which clients of stateful services pass ids in the additional properties.
    private static readonly string[] IdProperties = ["previous_response_id", "conversation", "conversation_id", "thread_id", "container_id", "cached_content"];

    /// <summary>Finds the state in a call. Null: none.</summary>
    public List<CarriedState>? FindIn(IReadOnlyList<ChatMessage> messages, ChatOptions? options, IReadOnlyList<PoolEndpoint> endpoints)
    {
        List<CarriedState>? found = null;
        if (options is not null)
            FindIn(options, ref found);
        for (var i = 0; i < messages.Count; i++)
        {
            var message = messages[i];
            var contents = message.Contents;
            for (var j = 0; j < contents.Count; j++)
            {
                if (contents[j] is TextReasoningContent or HostedFileContent or HostedVectorStoreContent)
                    FindStored(contents[j], Named(message, endpoints), ref found);
                else if (Within(contents[j]) is { Count: > 0 } within)
                    FindStored(within, Named(message, endpoints), ref found);
            }
        }
        return found;
    }

    public void RememberFrom(ChatResponse response, in Maker maker)
    {
        RememberIds(response.ConversationId, response.ContinuationToken, in maker);
        foreach (var message in response.Messages)
            RememberFrom(message.Contents, in maker);
    }

    public void RememberFrom(ChatResponseUpdate update, string? knownConversation, in Maker maker)
    {
        RememberIds(ReferenceEquals(update.ConversationId, knownConversation) ? null : update.ConversationId, update.ContinuationToken, in maker);
        RememberFrom(update.Contents, in maker);
    }

    private void RememberIds(string? conversation, ResponseContinuationToken? token, in Maker maker)
    {
        if (conversation is not null && maker.Find() is { } first)
            origins.Remember(conversation, first);
        if (token is not null && maker.Find() is { } second)
            origins.Remember(token.ToBytes().Span, second);
    }

    private void RememberFrom(IList<AIContent>? contents, in Maker maker)
    {
        for (var i = 0; i < contents?.Count; i++)
        {
            if (Within(contents[i]) is { } within)
                RememberFrom(within, in maker);
            else if (contents[i] is not TextContent && KeyOf(contents[i]) is { Key: var key } && maker.Find() is { } endpoint)
                origins.Remember(key, endpoint);
        }
    }

    private void FindIn(ChatOptions options, ref List<CarriedState>? found)
    {
        if (options.ConversationId is { } conversation)
            (found ??= []).Add(new(StateKind.Conversation, origins.MakerOf(conversation)));
        if (options.ContinuationToken is { } token)
            (found ??= []).Add(new(StateKind.ContinuationToken, origins.MakerOf(token.ToBytes().Span)));
        if (options.AdditionalProperties is { } properties)
        {
            foreach (var name in IdProperties)
            {
                if (properties.TryGetValue(name, out var value) && ChatStory.TextOf(value) is { } id)
                    (found ??= []).Add(new(StateKind.Conversation, origins.MakerOf(id)));
            }
        }

        for (var i = 0; i < options.Tools?.Count; i++)
        {
            var inputs = options.Tools[i] switch
            {
                HostedFileSearchTool search => search.Inputs,
                HostedCodeInterpreterTool interpreter => interpreter.Inputs,
                _ => null,
            };
            FindStored(inputs, null, ref found);
        }
    }

    private void FindStored(IList<AIContent>? contents, PoolEndpoint? named, ref List<CarriedState>? found)
    {
        for (var i = 0; i < contents?.Count; i++)
            FindStored(contents[i], named, ref found);
    }

    private void FindStored(AIContent content, PoolEndpoint? named, ref List<CarriedState>? found)
    {
        if (KeyOf(content) is { } state)
            (found ??= []).Add(new(state.Kind, origins.MakerOf(state.Key) ?? named, content as TextReasoningContent));
    }

    private static (StateKind Kind, string Key)? KeyOf(AIContent content) => content switch
    {
        TextReasoningContent { ProtectedData: { Length: > 0 } data } => (StateKind.EncryptedReasoning, data),
        HostedFileContent file => (StateKind.File, file.FileId),
        HostedVectorStoreContent store => (StateKind.VectorStore, store.VectorStoreId),
        _ => null,
    };

    // Gets the inputs or the outputs of a tool that the provider runs.
    private static IList<AIContent>? Within(AIContent content) => content switch
    {
        CodeInterpreterToolCallContent call => call.Inputs,
        CodeInterpreterToolResultContent result => result.Outputs,
        ImageGenerationToolResultContent result => result.Outputs,
        _ => null,
    };

    private static PoolEndpoint? Named(ChatMessage message, IReadOnlyList<PoolEndpoint> endpoints) =>
        ChatStory.NamedIn(message.AdditionalProperties) is { } name ? endpoints.FirstOrDefault(e => e.Name == name) : null;
}
