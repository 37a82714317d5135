using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.CompilerServices;
using HaKit.Testing.Wire;
using Microsoft.Extensions.AI;

namespace HaKit.Testing;

/// <summary>
/// A chat client in memory for tests. It returns scripted answers and injects the faults of <see cref="Faults"/>, on an injected clock. By default it answers a prompt with
/// <see cref="FakeAnswers.AnswerTo"/>, with usage and a finish reason; a stream sends the answer token by token.
/// </summary>
/// <remarks>
/// A latency delays the answer. A silence lasts until the call is cancelled. A reset or a refused connection throws the exception that a real handler throws.
/// An error status throws the <see cref="EndpointFaultException"/> that <see cref="EndpointFaultHandler"/> creates. "After n" counts updates with content. The
/// client is thread-safe if <see cref="Answer"/> is thread-safe. Waits resume on the thread that moves the clock.
/// </remarks>
/// <param name="name">The fake's name, which is also the provider in its metadata.</param>
/// <param name="time">The clock that latencies and schedules use. Default: the system clock.</param>
/// <param name="seed">The seed of the random choices in <see cref="Faults"/>. Default 0.</param>
public sealed class FakeChatClient(string name, TimeProvider? time = null, int seed = 0) : IChatClient
{
    private static readonly FakeRequest Plain = new(FakeOperation.Chat);
    private static readonly FakeRequest Streamed = new(FakeOperation.Chat) { Stream = true };

    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private readonly ConcurrentQueue<FakeChatRequest> _requests = new();
    private readonly Tally _tally = new();
    private Func<FakeChatRequest, ChatResponse>? _answer;

    /// <summary>Gets the fake's name.</summary>
    public string Name { get; } = name ?? throw new ArgumentNullException(nameof(name));

    /// <summary>Gets the faults that the fake injects. They may be changed at any time.</summary>
    public FaultScript Faults { get; } = new(time, seed);

    /// <summary>Gets or sets the function that creates the whole answer to each call. Replace it to script answers. Null: the default answer.</summary>
    public Func<FakeChatRequest, ChatResponse> Answer
    {
        get => _answer ?? DefaultAnswer;
        set => _answer = value;
    }

    /// <summary>Gets or sets how the fake answers when the messages end with an assistant message. Default <see cref="FakeContinuation.GoesOn"/>.</summary>
    public FakeContinuation Continuation { get; set; }

    /// <summary>
    /// Gets or sets the function that creates the updates of a stream. Default null: the default answer is sent token by token; a custom <see cref="Answer"/>
    /// is sent as one update per message.
    /// </summary>
    public Func<FakeChatRequest, IEnumerable<ChatResponseUpdate>>? AnswerStream { get; set; }

    /// <summary>
    /// Gets or sets the provider, address and model that <see cref="GetService"/> returns. Default: the fake's name, no address, and the model
    /// <c>NAME-model</c>.
    /// </summary>
    public ChatClientMetadata Metadata { get; set; } = new(name, null, $"{name}-model");

    /// <summary>Gets the calls so far, in order.</summary>
    public IReadOnlyCollection<FakeChatRequest> Requests => _requests;

    /// <summary>Gets the counts of the calls so far. Each update with content counts as one token.</summary>
    public FakeCounts Counts => _tally.Snapshot();

    /// <inheritdoc/>
    public async Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        var request = BeginCall(messages, options, Plain, out var fault);
        var outcome = Outcome.Abandoned;
        try
        {
            await Waits.DelayAsync(_time, fault.ToHeaders + fault.ToFirstToken, cancellationToken).ConfigureAwait(false);
            outcome = Outcome.Failed;
            Refusal.Throw(Name, fault, _time);
            Refusal.ThrowOver(Name, request, Continuation);
            if (fault.Ending is { } ending)
                await Refusal.EndAsync(ending, fault, cancellationToken).ConfigureAwait(false);
            var response = Answer(request);
            outcome = Outcome.Whole;
            return Finish(fault) is { } reason ? WithReason(response, reason) : response;
        }
        finally
        {
            _tally.RecordOutcome(Plain, outcome, 0, 0);
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var request = BeginCall(messages, options, Streamed, out var fault);
        var outcome = Outcome.Abandoned;
        var contents = 0;
        try
        {
            await Waits.DelayAsync(_time, fault.ToHeaders, cancellationToken).ConfigureAwait(false);
            outcome = Outcome.Failed;
            Refusal.Throw(Name, fault, _time);
            Refusal.ThrowOver(Name, request, Continuation);
            outcome = Outcome.Abandoned;
            foreach (var update in Updates(request))
            {
                var hasContent = update.Contents.Any(static c => c is not UsageContent);
                if (hasContent || update.FinishReason is not null)
                {
                    if (contents == fault.Ending?.After || update.FinishReason is not null && fault.Ending is not null)
                    {
                        outcome = contents > 0 ? Outcome.Cut : Outcome.Failed;
                        if (fault.Ending.Kind is FakeEndingKind.End or FakeEndingKind.Empty)
                            yield break;
                        await Refusal.EndAsync(fault.Ending, fault, cancellationToken).ConfigureAwait(false);
                    }
                    await Waits.DelayAsync(_time, contents == 0 ? fault.ToFirstToken : fault.PerToken, cancellationToken).ConfigureAwait(false);
                    contents += hasContent ? 1 : 0;
                }
                if (update.FinishReason is not null && Finish(fault) is { } reason)
                    update.FinishReason = reason;
                yield return update;
            }
            outcome = Outcome.Whole;
        }
        finally
        {
            _tally.RecordOutcome(Streamed, outcome, 0, contents);
        }
    }

    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        if (serviceKey is not null)
            return null;
        if (serviceType == typeof(ChatClientMetadata))
            return Metadata;
        return serviceType.IsInstanceOfType(this) ? this : null;
    }

    /// <summary>Does nothing; the fake holds no resources.</summary>
    public void Dispose()
    {
    }

    private ChatResponse DefaultAnswer(FakeChatRequest request)
    {
        var tokens = TokensOf(request);
        return new ChatResponse(new ChatMessage(ChatRole.Assistant, string.Concat(tokens)))
        {
            FinishReason = ChatFinishReason.Stop,
            ModelId = request.Options?.ModelId,
            Usage = new UsageDetails { InputTokenCount = request.Messages.Sum(static m => FakeAnswers.CountTokens(m.Text)), OutputTokenCount = tokens.Length },
        };
    }

    private string[] TokensOf(FakeChatRequest request) => FakeRest.PiecesOf(request.Prompt, request.Beginning, request.Options?.MaxOutputTokens, Continuation);

    private IEnumerable<ChatResponseUpdate> Updates(FakeChatRequest request)
    {
        if (AnswerStream is { } stream)
            return stream(request);
        if (_answer is not null)
            return Answer(request).ToChatResponseUpdates();
        var whole = DefaultAnswer(request);
        var tokens = TokensOf(request).Select(static t => new ChatResponseUpdate(ChatRole.Assistant, t));
        return
        [
            new ChatResponseUpdate(ChatRole.Assistant, []) { ModelId = whole.ModelId },
            .. tokens,
            new ChatResponseUpdate { FinishReason = whole.FinishReason },
            new ChatResponseUpdate(null, [new UsageContent(whole.Usage!)]),
        ];
    }

    private FakeChatRequest BeginCall(IEnumerable<ChatMessage> messages, ChatOptions? options, FakeRequest kind, out FakeFault fault)
    {
        ArgumentNullException.ThrowIfNull(messages);
        var request = new FakeChatRequest([.. messages], options, kind.Stream);
        _requests.Enqueue(request);
        _tally.BeginRequest(kind);
        fault = Faults.ChooseFault(kind);
        return request;
    }

    private static ChatFinishReason? Finish(FakeFault fault) => fault.Finish is { } reason ? new ChatFinishReason(reason) : null;

    private static ChatResponse WithReason(ChatResponse response, ChatFinishReason reason)
    {
        response.FinishReason = reason;
        return response;
    }
}
