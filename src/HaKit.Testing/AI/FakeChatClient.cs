using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.CompilerServices;
using HaKit.Testing.Wire;
using Microsoft.Extensions.AI;

namespace HaKit.Testing;

/// <summary>
/// A chat client in memory that answers what it is told to, and goes wrong as <see cref="Faults"/> says, on an injected clock. By default it answers a prompt with
/// <see cref="FakeAnswers.AnswerTo"/>, token by token when streamed, with usage and a finish reason.
/// </summary>
/// <remarks>
/// Of a fault, latencies are waited for, silences last until cancelled, resets and refusals are the exceptions that a real handler throws, and an error status is
/// the <see cref="EndpointFaultException"/> that <see cref="EndpointFaultHandler"/> makes of it. "After n" counts updates with content. Thread-safe if <see cref="Answer"/> is; waits resume on the thread that moves the clock.
/// </remarks>
/// <param name="name">Its name; the provider in its metadata.</param>
/// <param name="time">The clock of latencies and schedules; default the system's.</param>
/// <param name="seed">Seed of the chance in <see cref="Faults"/>; default 0.</param>
public sealed class FakeChatClient(string name, TimeProvider? time = null, int seed = 0) : IChatClient
{
    private static readonly FakeRequest Plain = new(FakeOperation.Chat);
    private static readonly FakeRequest Streamed = new(FakeOperation.Chat) { Stream = true };

    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private readonly ConcurrentQueue<FakeChatRequest> _requests = new();
    private readonly Tally _tally = new();
    private Func<FakeChatRequest, ChatResponse>? _answer;

    /// <summary>Its name.</summary>
    public string Name { get; } = name ?? throw new ArgumentNullException(nameof(name));

    /// <summary>Gets the faults that the fake injects. They may be changed at any time.</summary>
    public FaultScript Faults { get; } = new(time, seed);

    /// <summary>What it answers to each call, whole. Replace it to script answers.</summary>
    public Func<FakeChatRequest, ChatResponse> Answer
    {
        get => _answer ?? DefaultAnswer;
        set => _answer = value;
    }

    /// <summary>What it does with messages that end with an assistant's. Default <see cref="FakeContinuation.GoesOn"/>.</summary>
    public FakeContinuation Continuation { get; set; }

    /// <summary>The updates it streams to a call. Default null: the default answer token by token, or an <see cref="Answer"/> of your own as one update a message.</summary>
    public Func<FakeChatRequest, IEnumerable<ChatResponseUpdate>>? AnswerStream { get; set; }

    /// <summary>What <see cref="GetService"/> says of provider, address and model.</summary>
    public ChatClientMetadata Metadata { get; set; } = new(name, null, $"{name}-model");

    /// <summary>The calls so far, in order.</summary>
    public IReadOnlyCollection<FakeChatRequest> Requests => _requests;

    /// <summary>What it did so far; the tokens are updates with content.</summary>
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
            {
                outcome = Refusal.IsSilent(ending) ? Outcome.Abandoned : outcome;
                await Refusal.EndAsync(ending, fault, cancellationToken).ConfigureAwait(false);
            }
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
                        if (Refusal.IsSilent(fault.Ending))
                            outcome = Outcome.Abandoned;
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

    /// <summary>Does nothing.</summary>
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
