using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;

namespace HaKit.AI;

/// <summary>
/// Represents a chat client over a pool. Each call goes to one endpoint after another, through the chat client of that endpoint, until an endpoint answers. Put
/// function invocation outside this client, so that each tool call runs only once, even if the request for the next answer is retried. Thread-safe. Disposing
/// this client does nothing, because the code that created the pool and the endpoints' clients owns them.
/// </summary>
public sealed class EndpointPoolChatClient : IChatClient
{
    private readonly EndpointPool _pool;
    private readonly RequestProfile _profile;
    private readonly Func<IReadOnlyList<ChatMessage>, ChatOptions?, int> _estimateTokens;
    private readonly StateFinder _states;
    private readonly bool _pinState;
    private readonly bool _leaveOutReasoning;

    /// <summary>Creates a chat client over a pool.</summary>
    /// <param name="pool">The pool. All its endpoints must have chat clients.</param>
    /// <param name="options">Sets how the client uses the pool. Null: the defaults.</param>
    /// <exception cref="ArgumentException">An endpoint has no chat client.</exception>
    public EndpointPoolChatClient(EndpointPool pool, EndpointPoolChatClientOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(pool);
        options ??= new();
        options.Validate(pool.Name);
        if (pool.Endpoints.Where(e => ChatEndpoint.ClientOf(e) is null).Select(e => e.Name).ToArray() is { Length: > 0 } without)
            throw new ArgumentException($"Pool '{pool.Name}': no chat client for {string.Join(", ", without)}: add them with AddEndpoint(name, client).", nameof(pool));
        _pool = pool;
        _profile = options.Profile;
        _estimateTokens = options.EstimateTokens ?? Prompt.EstimateTokens;
        _states = new StateFinder(StateOrigins.GetShared(pool, options.RememberedStates));
        _pinState = options.PinState;
        _leaveOutReasoning = options.EncryptedReasoning == EncryptedReasoning.LeaveOut;
    }

    /// <inheritdoc/>
    /// <exception cref="NoEndpointAvailableException">No endpoint could take the call in time.</exception>
    /// <exception cref="DeadlineExceededException">The deadline passed.</exception>
    /// <exception cref="StateNotPortableException">
    /// The call contains state of a provider (such as a conversation id), and no endpoint that the call may use has this state.
    /// </exception>
    /// <exception cref="UnsupportedParametersException">No endpoint supports the parameters of the call.</exception>
    /// <exception cref="EndpointFaultException">
    /// An endpoint answered with an error in a response of status 200, and no other endpoint may be asked. If the request is wrong (400), the caller gets the
    /// exception of the endpoint's client instead.
    /// </exception>
    public async Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        (await GetResponseWithDetailAsync(messages, options, cancellationToken).ConfigureAwait(false)).Result;

    /// <summary>Does the same as <see cref="GetResponseAsync"/>, and returns the details of the call with the answer.</summary>
    /// <param name="messages">The messages.</param>
    /// <param name="options">The options. Null: the defaults.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="NoEndpointAvailableException">No endpoint could take the call in time.</exception>
    /// <exception cref="DeadlineExceededException">The deadline passed.</exception>
    /// <exception cref="StateNotPortableException">The call contains state of a provider, and no endpoint that the call may use has this state.</exception>
    /// <exception cref="UnsupportedParametersException">No endpoint supports the parameters of the call.</exception>
    /// <exception cref="EndpointFaultException">
    /// An endpoint answered with an error in a response of status 200, and no other endpoint may be asked. If the request is wrong (400), the caller gets the
    /// exception of the endpoint's client instead.
    /// </exception>
    public async ValueTask<Served<ChatResponse>> GetResponseWithDetailAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        var call = BeginCall(messages, options);
        var served = await _pool.ExecuteWithDetailAsync(call.Profile, call, static (attempt, call, token) => call.AskAsync(attempt, token), cancellationToken).ConfigureAwait(false);
        var (response, detail) = served;
        var properties = ChatStory.AddProperties(response.AdditionalProperties, detail, Dropped(call, detail));
        if (response.Usage is { } usage && ChatStory.CostOf(usage, _pool.Find(detail.Endpoint), detail) is { } cost)
            properties[ChatStory.CostKey] = cost;
        response.AdditionalProperties = properties;
        _states.RememberFrom(response, new Maker(_pool, detail.Endpoint));
        return served;
    }

    /// <inheritdoc/>
    /// <remarks>
    /// If an attempt fails before its first text, reasoning, tool call or data, the request is sent to another endpoint, and the caller does not notice. After
    /// that, a cut ends the stream with <see cref="PartialResponseException"/>. If <see cref="RequestProfile.MayContinue"/> or the pool's setting allows it,
    /// another endpoint continues the answer after the cut.
    /// </remarks>
    /// <exception cref="NoEndpointAvailableException">No endpoint could take the call in time.</exception>
    /// <exception cref="DeadlineExceededException">The deadline passed before the first content.</exception>
    /// <exception cref="PartialResponseException">The stream was cut after its first content.</exception>
    /// <exception cref="EndpointFaultException">
    /// An endpoint answered with an error in a response of status 200, and no other endpoint may be asked. If the request is wrong (400), the caller gets the
    /// exception of the endpoint's client instead.
    /// </exception>
    /// <exception cref="StateNotPortableException">The call contains state of a provider, and no endpoint that the call may use has this state.</exception>
    /// <exception cref="UnsupportedParametersException">No endpoint supports the parameters of the call.</exception>
    public IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        return StreamAsync(messages, options, cancellationToken);
    }

    /// <inheritdoc/>
    /// <remarks>
    /// If the key is the name of an endpoint, returns that endpoint's client, or a service of that client. Without a key, returns this client, its
    /// <see cref="EndpointPool"/>, or <see cref="ChatClientMetadata"/> with the values that all endpoints share. In every other case, asks the clients of the
    /// endpoints in order, and returns the first service that a client has.
    /// </remarks>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        if (serviceKey is string name && _pool.Find(name) is { } endpoint && ChatEndpoint.ClientOf(endpoint) is { } client)
            return serviceType == typeof(IChatClient) ? client : client.GetService(serviceType);
        if (serviceKey is null && serviceType.IsInstanceOfType(this))
            return this;
        if (serviceKey is null && serviceType == typeof(EndpointPool))
            return _pool;
        if (serviceKey is null && serviceType == typeof(ChatClientMetadata))
            return ChatMetadata.InCommon(_pool.Endpoints);
        foreach (var member in _pool.Endpoints)
        {
            if (ChatEndpoint.ClientOf(member)?.GetService(serviceType, serviceKey) is { } service)
                return service;
        }

        return null;
    }

    /// <summary>Does nothing.</summary>
    public void Dispose()
    {
    }

    private async IAsyncEnumerable<ChatResponseUpdate> StreamAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var call = BeginCall(messages, options);
        var continuation = _pool.MayContinue(call.Profile) ? new ChatContinuation(_pool, call) : null;
        var answer = await _pool.StreamAsync(
            call.Profile, call, static (attempt, call, token) => call.OpenAsync(attempt, token), call.Reader,
            continuation is null ? null : continuation.ContinueAsync, cancellationToken).ConfigureAwait(false);
        await using var end = ((IAsyncDisposable)answer).ConfigureAwait(false);
        var server = new Maker(_pool, answer.Detail.Endpoint);
        string? conversation = null;
        var isFirst = true;
        while (await answer.MoveNextAsync().ConfigureAwait(false))
        {
            var update = answer.Current;
            if (ReferenceEquals(update, ChatUpdateReader.End))
                continue;
            continuation?.RecordDelivered(update);
            var seams = answer.Detail.Seams;
            if (seams.Count > 0 && seams[^1].To is { } next)
                server = new Maker(_pool, next);
            _states.RememberFrom(update, conversation, server);
            conversation = update.ConversationId ?? conversation;
            if (seams.Count > 0)
            {
                yield return continuation!.Rewrite(update, answer.Detail);
                continue;
            }
            if (isFirst)
            {
                isFirst = false;
                update = update.Clone();
                update.AdditionalProperties = ChatStory.AddProperties(update.AdditionalProperties, answer.Detail, Dropped(call, answer.Detail));
            }
            yield return UsageIn(update) is { } usage && ChatStory.CostOf(usage, server.Find(), answer.Detail) is { } cost ? WithCost(update, cost) : update;
        }
    }

    private static UsageDetails? UsageIn(ChatResponseUpdate update)
    {
        var contents = update.Contents;
        for (var i = 0; i < contents.Count; i++)
        {
            if (contents[i] is UsageContent usage)
                return usage.Details;
        }

        return null;
    }

    private static ChatResponseUpdate WithCost(ChatResponseUpdate update, string cost)
    {
        update = update.Clone();
        update.AdditionalProperties = update.AdditionalProperties is { } own ? new(own) : [];
        update.AdditionalProperties[ChatStory.CostKey] = cost;
        return update;
    }

    private ChatCall BeginCall(IEnumerable<ChatMessage> messages, ChatOptions? options)
    {
        // A later attempt, or the rest of a cut answer, must ask the same question, although the caller may add to its history meanwhile.
        ChatMessage[] list = [.. messages];
        var given = ChatProfiles.ExtractProfile(ref options) ?? _profile;
        var used = Parameters.UsedBy(options);
        var place = new Placement(_pool, given);
        place.RequireSupport(used);
        ReasoningOrigins? reasoning = null;
        var isPortable = options?.ConversationId is null;
        if (_states.FindIn(list, options, place.All) is { } states)
        {
            if (_leaveOutReasoning && states.FindAll(s => s.Content is not null) is { Count: > 0 } unreadable)
            {
                reasoning = new ReasoningOrigins(unreadable, place.AnyMaker());
                states.RemoveAll(s => s.Content is not null);
            }
            place.PinTo(states, _pinState);
            isPortable &= states.Count == 0;
        }
        var maxOutput = given.MaxOutputTokens > 0 ? given.MaxOutputTokens : Math.Max(0, options?.MaxOutputTokens ?? 0);
        var profile = given with
        {
            InputTokens = given.InputTokens > 0 ? given.InputTokens : _estimateTokens(list, options),
            IsInputEstimated = given.IsInputEstimated || given.InputTokens <= 0,
            MaxOutputTokens = maxOutput,
            Tools = given.Tools || options?.Tools is { Count: > 0 },
            Vision = given.Vision || Prompt.HasImage(list),
            Endpoints = place.Names,
            // If the call contains state of a provider, an endpoint that did not create the state may refuse a correct request. So a refusal must not be
            // checked on a second endpoint. RequestKind.Other excludes this check.
            Request = given.Request switch
            {
                RequestKind.Unknown when isPortable => RequestKind.CreatesAnswer,
                RequestKind.Unknown => RequestKind.Other,
                _ => given.Request,
            },
        };
        return new ChatCall(list, options, profile, used, reasoning)
        {
            MayDrop = place.MayDrop,
            OwnModels = options?.ModelId is not null && ChatMetadata.SpanProviders(place.All),
        };
    }

    private ChatParameters Dropped(ChatCall call, CallDetail detail) =>
        call.MayDrop && _pool.Find(detail.Endpoint) is { } endpoint ? call.DroppedBy(endpoint) : ChatParameters.None;
}
