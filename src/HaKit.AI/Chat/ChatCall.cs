using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;

namespace HaKit.AI;

/// <summary>One chat call on its way through a pool, over all its attempts. Read by several attempts at once when it is hedged.</summary>
internal sealed class ChatCall(IReadOnlyList<ChatMessage> messages, ChatOptions? options, RequestProfile profile, ChatParameters used, ReasoningOrigins? reasoning)
{
    public RequestProfile Profile { get; } = profile;

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<ChatResponse> AskAsync(EndpointAttempt attempt, CancellationToken token)
    {
        attempt.ReportOperation("chat");
        var chat = ChatEndpoint.FromEndpoint(attempt.Endpoint);
        ResilienceWatch.WarnIfRepeating(attempt.Endpoint);
        var asked = chat.Client.GetResponseAsync(MessagesFor(attempt.Endpoint), chat.AdaptOptions(options, attempt.Endpoint, used, OwnModels), token);
        var hadToWait = !asked.IsCompleted;
        try
        {
            return ChatFaults.ThrowIfFailed(await asked.ConfigureAwait(false), attempt);
        }
        catch (ArgumentException exception) when (hadToWait || exception is ArgumentOutOfRangeException or ArgumentNullException)
        {
            // What is wrong with the request shows before it is sent. Later, SDKs throw this over answers in which they do not find what they look for. An
            // answer may have come by the time the client returns its task: one other endpoint shows which of the two it is.
            attempt.ReportFault(hadToWait ? ChatFaults.Broken : ChatFaults.BrokenOrRefused);
            throw;
        }
    }

    public ValueTask<IAsyncEnumerable<ChatResponseUpdate>> OpenAsync(EndpointAttempt attempt, CancellationToken token)
    {
        attempt.ReportOperation("chat");
        var chat = ChatEndpoint.FromEndpoint(attempt.Endpoint);
        var updates = chat.Client.GetStreamingResponseAsync(MessagesFor(attempt.Endpoint), chat.AdaptOptions(options, attempt.Endpoint, used, OwnModels), token);
        return new(new ChatStream(updates, chat, attempt, Profile));
    }

    /// <summary>Asks an endpoint for the rest of an answer.</summary>
    /// <param name="attempt">The attempt.</param>
    /// <param name="text">What was delivered.</param>
    /// <param name="tokens">The tokens of that.</param>
    /// <param name="token">Cancels the attempt.</param>
    public ValueTask<IAsyncEnumerable<ChatResponseUpdate>> OpenRestAsync(EndpointAttempt attempt, string text, long tokens, CancellationToken token)
    {
        var endpoint = attempt.Endpoint;
        var chat = ChatEndpoint.FromEndpoint(endpoint);
        var seam = endpoint.CreateSeam(text);
        var own = options?.Clone() ?? new ChatOptions();
        own.MaxOutputTokens = (int?)AnswerSeam.TokensLeft(own.MaxOutputTokens, tokens);
        if (endpoint.Continuation == Continuation.AssistantPrefix && seam.Beginning.Length > 0)
            chat.ConfigureContinuation?.Invoke(own);
        var updates = chat.Client.GetStreamingResponseAsync(WithBeginning(endpoint, seam.Beginning), chat.AdaptOptions(own, endpoint, used, OwnModels), token);
        return new(new ChatRest(new ChatStream(updates, chat, attempt, Profile), seam, endpoint));
    }

    private IReadOnlyList<ChatMessage> WithBeginning(PoolEndpoint endpoint, string beginning)
    {
        if (beginning.Length == 0)
            return MessagesFor(endpoint);
        List<ChatMessage> asked = [.. MessagesFor(endpoint), new(ChatRole.Assistant, beginning)];
        if (endpoint.Continuation == Continuation.Instruction)
            asked.Add(new(ChatRole.User, endpoint.ContinuationInstruction));
        return asked;
    }

    /// <summary>What in the request stands in the way of continuing its answer; null for nothing.</summary>
    public NotContinuedReason? ContinuationObstacle =>
        Profile.Request == RequestKind.Other ? NotContinuedReason.StoredState : ContinuableChat.FindObstacle(messages, options);

    /// <summary>Says what the updates of its streams mean.</summary>
    public ChatUpdateReader Reader => Profile.Tools ? ChatUpdateReader.WithTools : ChatUpdateReader.Instance;

    /// <summary>Does each endpoint get its client's model in the place of the one that the caller names?</summary>
    public required bool OwnModels { get; init; }

    /// <summary>Could anything be left out for some endpoint?</summary>
    public required bool MayDrop { get; init; }

    /// <summary>What was left out for an endpoint.</summary>
    public ChatParameters DroppedBy(PoolEndpoint endpoint) => ChatEndpoint.DroppedBy(endpoint, used);

    private IReadOnlyList<ChatMessage> MessagesFor(PoolEndpoint endpoint) => reasoning is null ? messages : reasoning.MessagesFor(endpoint, messages);
}
