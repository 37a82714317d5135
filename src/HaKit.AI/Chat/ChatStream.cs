using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;

namespace HaKit.AI;

/// <summary>
/// Reads the updates of one attempt. It remembers three facts. First, whether the tool call that a finish reason announced has arrived. Second, whether there was
/// content or a finish reason: the end of the stream then completes the answer if <see cref="ChatEndpointOptions.MarksEnd"/> is false. Third, whether an update
/// has arrived: an <see cref="ArgumentException"/> is then a failure to read the answer, and not a mistake in the request. For one reader.
/// </summary>
internal sealed class ChatStream(IAsyncEnumerable<ChatResponseUpdate> updates, ChatEndpoint chat, EndpointAttempt attempt, RequestProfile profile)
    : IAsyncEnumerable<ChatResponseUpdate>, IAsyncEnumerator<ChatResponseUpdate>
{
    private IAsyncEnumerator<ChatResponseUpdate> _source = null!;
    private ChatResponseUpdate? _behindMark;
    private bool _hasItems;
    private bool _hasContent;
    private bool _hasReason;
    private bool _hasCall;
    private bool _isAnnounced;
    private bool _isMarked;

    public ChatResponseUpdate Current { get; private set; } = null!;

    public IAsyncEnumerator<ChatResponseUpdate> GetAsyncEnumerator(CancellationToken cancellationToken = default)
    {
        _source = updates.GetAsyncEnumerator(cancellationToken);
        return this;
    }

    public ValueTask<bool> MoveNextAsync()
    {
        if (_behindMark is { } update)
        {
            (Current, _behindMark) = (update, null);
            return new(true);
        }
        try
        {
            if (!_hasItems)
                ResilienceWatch.WarnIfRepeating(attempt.Endpoint); // the first step sends the request
            var move = _source.MoveNextAsync();
            return move.IsCompleted ? new(TakeUpdate(move.Result)) : WaitAsync(move);
        }
        catch (ArgumentException exception) when (_hasItems)
        {
            return ValueTask.FromException<bool>(Unreadable(exception));
        }
        catch (ArgumentException exception) when (exception is ArgumentOutOfRangeException or ArgumentNullException)
        {
            // The client throws before its MoveNextAsync has waited. Either the client refuses the request, or the answer was there at once and the client
            // cannot read it. So the pool tries one other endpoint to determine whether the request or the answer is wrong.
            attempt.ReportFault(ChatFaults.BrokenOrRefused);
            throw;
        }
    }

    public ValueTask DisposeAsync() => _source.DisposeAsync();

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> WaitAsync(ValueTask<bool> move)
    {
        try
        {
            return TakeUpdate(await move.ConfigureAwait(false));
        }
        catch (ArgumentException exception)
        {
            throw Unreadable(exception);
        }
    }

    // SDKs find mistakes in a request before they send it. Afterwards, this exception means that the SDK cannot read the answer.
    private EndpointFaultException Unreadable(ArgumentException exception) => new(attempt.Endpoint.Name, ChatFaults.OfUnreadable(exception), exception);

    private bool TakeUpdate(bool more)
    {
        if (!more)
            return TakeEnd();
        var update = _source.Current;
        _hasItems = true;
        if (chat.FinishOf is { } finishOf && update.FinishReason is null && finishOf(update) is { } reason)
        {
            update = update.Clone();
            update.FinishReason = reason;
        }
        _hasContent = _hasContent || ChatUpdateReader.HasContent(update);
        _hasReason |= update.FinishReason is not null;
        _isAnnounced |= update.FinishReason == ChatFinishReason.ToolCalls;
        // If a filter ends a stream before the first content, the call was refused, as for a plain answer.
        if (!_hasContent && profile.MoveOnAfterContentFilter && update.FinishReason == ChatFinishReason.ContentFilter)
            throw ChatFaults.FilteredBefore(attempt.Endpoint);
        Current = update;
        if (profile.Tools && _hasContent && CompletesCalls(update))
            (Current, _behindMark, _isMarked) = (ChatUpdateReader.End, update, true);
        return true;
    }

    // Some clients send the finish reason with the tool call, some after it, and some before it. If the finish reason comes first, the stream ends only with
    // the tool call.
    private bool CompletesCalls(ChatResponseUpdate update)
    {
        _hasCall = _hasCall || ChatUpdateReader.HasCall(update);
        return _isAnnounced && _hasCall && !_isMarked;
    }

    private bool TakeEnd()
    {
        if (chat.MarksEnd || _isMarked || !(_hasContent || _hasReason))
            return false;
        (Current, _isMarked) = (ChatUpdateReader.End, true);
        return true;
    }
}
