using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;

namespace HaKit.AI;

/// <summary>
/// Holds the request of one chat call, and makes its attempts. The object is read-only, because the attempts of a hedged call use it at the same time.
/// </summary>
internal sealed class ChatCall(IReadOnlyList<ChatMessage> messages, ChatOptions? options, RequestProfile profile, ChatParameters used, ReasoningOrigins? reasoning)
{
    public RequestProfile Profile { get; } = profile;

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<ChatResponse> AskAsync(EndpointAttempt attempt, CancellationToken token)
    {
        attempt.ReportOperation("chat");
        var chat = ChatEndpoint.FromEndpoint(attempt.Endpoint);
        ResilienceWatch.WarnIfRepeating(attempt.Endpoint);
        var (asking, adapted) = (MessagesFor(attempt.Endpoint), chat.AdaptOptions(options, attempt.Endpoint, used, OwnModels));
        var hadToWait = false;
        try
        {
            var asked = chat.Client.GetResponseAsync(asking, adapted, token);
            hadToWait = !asked.IsCompleted;
            return ChatFaults.ThrowIfFailed(await asked.ConfigureAwait(false), attempt);
        }
        catch (ArgumentException exception) when (hadToWait || exception is ArgumentOutOfRangeException or ArgumentNullException)
        {
            // If the client returned a task that was still running, the request had probably been sent. So the exception means that the SDK cannot read the
            // answer. If the task had already ended, or the client threw instead of returning a task, the wrong value (out of range or null) may be in the
            // request. But it may also be in an answer that arrived at once. So the pool asks one other endpoint: if that endpoint serves the request, the
            // answer was wrong. Any other ArgumentException that came without a wait is not caught here, because it shows that the request is wrong.
            attempt.ReportFault(hadToWait ? ChatFaults.OfUnreadable(exception) : ChatFaults.BrokenOrRefused);
            throw;
        }
    }

    public ValueTask<IAsyncEnumerable<ChatResponseUpdate>> OpenAsync(EndpointAttempt attempt, CancellationToken token)
    {
        attempt.ReportOperation("chat");
        var chat = ChatEndpoint.FromEndpoint(attempt.Endpoint);
        var updates = Open(chat, MessagesFor(attempt.Endpoint), chat.AdaptOptions(options, attempt.Endpoint, used, OwnModels), attempt, token);
        return new(new ChatStream(updates, chat, attempt, Profile));
    }

    /// <summary>Requests the rest of an answer from an endpoint.</summary>
    /// <param name="attempt">The attempt.</param>
    /// <param name="text">The delivered text.</param>
    /// <param name="tokens">The number of tokens of the delivered text.</param>
    /// <param name="token">Cancels the attempt.</param>
    public ValueTask<IAsyncEnumerable<ChatResponseUpdate>> OpenRestAsync(EndpointAttempt attempt, string text, long tokens, CancellationToken token)
    {
        attempt.ReportOperation("chat");
        var endpoint = attempt.Endpoint;
        var chat = ChatEndpoint.FromEndpoint(endpoint);
        var seam = endpoint.CreateSeam(text);
        var own = options?.Clone() ?? new ChatOptions();
        seam.HasAllTokens = own.MaxOutputTokens is > 0 and var most && most <= tokens;
        own.MaxOutputTokens = (int?)AnswerSeam.TokensLeft(own.MaxOutputTokens, tokens) ?? own.MaxOutputTokens;
        if (endpoint.Continuation == Continuation.AssistantPrefix && seam.Beginning.Length > 0)
            chat.ConfigureContinuation?.Invoke(own);
        var updates = Open(chat, WithBeginning(endpoint, seam.Beginning), chat.AdaptOptions(own, endpoint, used, OwnModels), attempt, token);
        return new(new ChatRest(new ChatStream(updates, chat, attempt, Profile), seam, endpoint));
    }

    // If the client's method is an iterator, it throws at its first step, and ChatStream classifies the exception. Any other client may throw the same
    // exception here, so this method classifies it in the same way.
    private static IAsyncEnumerable<ChatResponseUpdate> Open(
        ChatEndpoint chat, IReadOnlyList<ChatMessage> asking, ChatOptions? adapted, EndpointAttempt attempt, CancellationToken token)
    {
        try
        {
            return chat.Client.GetStreamingResponseAsync(asking, adapted, token);
        }
        catch (ArgumentException exception) when (exception is ArgumentOutOfRangeException or ArgumentNullException)
        {
            attempt.ReportFault(ChatFaults.BrokenOrRefused);
            throw;
        }
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

    /// <summary>Gets the property of the request that prevents a continuation of its answer. Null: none.</summary>
    public NotContinuedReason? ContinuationObstacle =>
        Profile.Request == RequestKind.Other ? NotContinuedReason.StoredState : ContinuableChat.FindObstacle(messages, options);

    /// <summary>Gets the reader that classifies the updates of the call's streams.</summary>
    public ChatUpdateReader Reader => Profile.Tools ? ChatUpdateReader.WithTools : ChatUpdateReader.Instance;

    /// <summary>Gets whether the model of each endpoint's client replaces the model that the caller names.</summary>
    public required bool OwnModels { get; init; }

    /// <summary>Gets whether at least one endpoint gets the request without the parameters that the endpoint does not support.</summary>
    public required bool MayDrop { get; init; }

    /// <summary>Gets the parameters that were left out for an endpoint.</summary>
    public ChatParameters DroppedBy(PoolEndpoint endpoint) => ChatEndpoint.DroppedBy(endpoint, used);

    private IReadOnlyList<ChatMessage> MessagesFor(PoolEndpoint endpoint) => reasoning is null ? messages : reasoning.MessagesFor(endpoint, messages);
}
