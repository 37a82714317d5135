using Microsoft.Extensions.AI;

namespace HaKit.AI;

/// <summary>Holds an endpoint's chat client and its settings. The settings are a copy, because they must not change during calls.</summary>
internal sealed class ChatEndpoint(IChatClient client, ChatEndpointOptions options)
{
    private readonly ChatParameters _droppable = options.OnUnsupported == UnsupportedParameters.Drop ? options.Unsupported & ChatParameters.Tuning : ChatParameters.None;
    private readonly ChatParameters _unsupported = options.Unsupported;
    private readonly Action<ChatOptions>? _configure = options.ConfigureOptions;

    public IChatClient Client { get; } = client;

    public Action<ChatOptions>? ConfigureContinuation { get; } = options.ConfigureContinuation;

    public bool MarksEnd { get; } = options.MarksEnd;

    public Func<ChatResponseUpdate, ChatFinishReason?>? FinishOf { get; } = options.FinishOf;

    /// <summary>Gets the chat client of an endpoint. Null if the endpoint's client object is not a chat client.</summary>
    public static IChatClient? ClientOf(PoolEndpoint endpoint) => endpoint.Client switch
    {
        ChatEndpoint chat => chat.Client,
        IChatClient client => client,
        _ => null,
    };

    public static ChatEndpoint FromEndpoint(PoolEndpoint endpoint) => endpoint.Client switch
    {
        ChatEndpoint chat => chat,
        IChatClient client => new ChatEndpoint(client, new ChatEndpointOptions()),
        _ => throw new InvalidOperationException($"Endpoint '{endpoint.Name}' has no chat client."),
    };

    /// <summary>Gets the parameters of a call that the endpoint does not support and that must not be left out.</summary>
    public static ChatParameters RefusedBy(PoolEndpoint endpoint, ChatParameters used) =>
        endpoint.Client is ChatEndpoint chat ? used & chat._unsupported & ~chat._droppable : ChatParameters.None;

    /// <summary>Gets the parameters of a call that are left out for the endpoint.</summary>
    public static ChatParameters DroppedBy(PoolEndpoint endpoint, ChatParameters used) =>
        endpoint.Client is ChatEndpoint chat ? used & chat._droppable : ChatParameters.None;

    /// <summary>Gets the options for this endpoint: the caller's own object, unless something must be changed.</summary>
    /// <param name="options">The caller's options.</param>
    /// <param name="endpoint">The endpoint.</param>
    /// <param name="used">The parameters in the options.</param>
    /// <param name="ownModel">True if the model that the caller names may belong to another provider. The client's own model then replaces it.</param>
    public ChatOptions? AdaptOptions(ChatOptions? options, PoolEndpoint endpoint, ChatParameters used, bool ownModel)
    {
        var model = endpoint.Domains.Model ?? (ownModel ? ChatMetadata.MetadataOf(endpoint).DefaultModelId : null);
        var dropped = used & _droppable;
        if (_configure is null && dropped == ChatParameters.None && (model is null || model == options?.ModelId))
            return options;
        var own = options?.Clone() ?? new ChatOptions();
        Parameters.Drop(own, dropped);
        own.ModelId = model ?? own.ModelId;
        _configure?.Invoke(own);
        return own;
    }
}

/// <summary>Reads and removes the parameters that endpoints may not support.</summary>
internal static class Parameters
{
    public static ChatParameters UsedBy(ChatOptions? options)
    {
        if (options is null)
            return ChatParameters.None;
        return If(options.Temperature is not null, ChatParameters.Temperature)
            | If(options.TopP is not null, ChatParameters.TopP)
            | If(options.TopK is not null, ChatParameters.TopK)
            | If(options.FrequencyPenalty is not null, ChatParameters.FrequencyPenalty)
            | If(options.PresencePenalty is not null, ChatParameters.PresencePenalty)
            | If(options.Seed is not null, ChatParameters.Seed)
            | If(options.Reasoning is not null, ChatParameters.Reasoning)
            | If(options.MaxOutputTokens is not null, ChatParameters.MaxOutputTokens)
            | If(options.StopSequences is { Count: > 0 }, ChatParameters.StopSequences)
            | If(options.ResponseFormat is not null and not ChatResponseFormatText, ChatParameters.ResponseFormat)
            | If(options.ToolMode is not null and not AutoChatToolMode, ChatParameters.ToolMode)
            | If(options.AllowMultipleToolCalls is not null, ChatParameters.AllowMultipleToolCalls);

        static ChatParameters If(bool isUsed, ChatParameters parameter) => isUsed ? parameter : ChatParameters.None;
    }

    public static void Drop(ChatOptions options, ChatParameters dropped)
    {
        if (dropped == ChatParameters.None)
            return;
        options.Temperature = dropped.HasFlag(ChatParameters.Temperature) ? null : options.Temperature;
        options.TopP = dropped.HasFlag(ChatParameters.TopP) ? null : options.TopP;
        options.TopK = dropped.HasFlag(ChatParameters.TopK) ? null : options.TopK;
        options.FrequencyPenalty = dropped.HasFlag(ChatParameters.FrequencyPenalty) ? null : options.FrequencyPenalty;
        options.PresencePenalty = dropped.HasFlag(ChatParameters.PresencePenalty) ? null : options.PresencePenalty;
        options.Seed = dropped.HasFlag(ChatParameters.Seed) ? null : options.Seed;
        options.Reasoning = dropped.HasFlag(ChatParameters.Reasoning) ? null : options.Reasoning;
    }
}
