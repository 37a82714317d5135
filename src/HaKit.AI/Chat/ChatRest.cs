using HaKit.Faults;
using Microsoft.Extensions.AI;

namespace HaKit.AI;

/// <summary>Streams the rest of a cut answer from one endpoint, joined to the text that the caller already has. For one reader.</summary>
internal sealed class ChatRest(ChatStream updates, AnswerSeam seam, PoolEndpoint endpoint) : IAsyncEnumerable<ChatResponseUpdate>, IAsyncEnumerator<ChatResponseUpdate>
{
    private IAsyncEnumerator<ChatResponseUpdate> _updates = null!;
    private ChatResponseUpdate? _next;

    public ChatResponseUpdate Current { get; private set; } = null!;

    public IAsyncEnumerator<ChatResponseUpdate> GetAsyncEnumerator(CancellationToken cancellationToken = default)
    {
        _updates = updates.GetAsyncEnumerator(cancellationToken);
        return this;
    }

    public async ValueTask<bool> MoveNextAsync()
    {
        if (_next is { } next)
        {
            (Current, _next) = (next, null);
            return true;
        }
        while (await _updates.MoveNextAsync().ConfigureAwait(false))
        {
            var update = _updates.Current;
            if (ReferenceEquals(update, ChatUpdateReader.End))
            {
                TakeEnd(update);
                return true;
            }
            var joined = Join(update);
            if (seam.HasStartedOver)
                throw new EndpointFaultException(endpoint.Name, ChatFaults.Broken);
            if (joined.Contents.Count == 0 && joined.FinishReason is null && update.Contents.Count > 0)
                continue;
            Current = joined;
            return true;
        }
        return false;
    }

    public ValueTask DisposeAsync() => _updates.DisposeAsync();

    // The text that the seam still holds is delivered before the end mark. While an endpoint repeats the delivered text, the seam cannot tell a continuation
    // from an answer that started over. Only the end shows it.
    private void TakeEnd(ChatResponseUpdate end)
    {
        var held = seam.Complete();
        if (seam.HasStartedOver)
            throw new EndpointFaultException(endpoint.Name, ChatFaults.Broken);
        if (held.Length > 0)
            (Current, _next) = (new ChatResponseUpdate(ChatRole.Assistant, held), end);
        else
            Current = end;
    }

    private ChatResponseUpdate Join(ChatResponseUpdate update)
    {
        var contents = new List<AIContent>(update.Contents.Count + 1);
        foreach (var content in update.Contents)
        {
            if (content is TextContent text)
            {
                Add(contents, seam.Append(text.Text));
                continue;
            }
            if (content is not UsageContent)
                Add(contents, seam.Complete());
            contents.Add(content);
        }
        if (update.FinishReason is not null)
            Add(contents, seam.Complete());
        update = update.Clone();
        update.Contents = contents;
        return update;
    }

    private static void Add(List<AIContent> contents, string text)
    {
        if (text.Length > 0)
            contents.Add(new TextContent(text));
    }
}
