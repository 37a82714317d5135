using HaKit.Dialects;
using HaKit.Faults;

namespace HaKit.Http;

/// <summary>Reads the events of the rest of an answer and rewrites them as events of the answer that the caller reads. For one reader.</summary>
/// <param name="source">The original events.</param>
/// <param name="format">The format of the events.</param>
/// <param name="state">The state of the rest.</param>
/// <param name="endpoint">The name of the endpoint that sends the events.</param>
/// <param name="needsBreak">True if the event before the cut arrived without the blank line that ends it.</param>
internal sealed class RestEvents(SseEvents source, ContinuationFormat format, RestState state, string endpoint, bool needsBreak) : IAsyncEnumerator<ReadOnlyMemory<byte>>
{
    // The call moves on to another endpoint. This fault counts only if that endpoint then continues the answer.
    private static readonly Fault s_startedOver = new(FaultKind.BrokenBody) { SecondOpinion = SecondOpinion.Each, IsProvisional = true };

    private readonly EventData _fields = new();
    private bool _needsBreak = needsBreak;

    public ReadOnlyMemory<byte> Current { get; private set; }

    public async ValueTask<bool> MoveNextAsync()
    {
        while (await source.MoveNextAsync().ConfigureAwait(false))
        {
            var item = Rewrite(source.Current);
            // A body that is not a stream of events, and an answer that starts again, cannot be joined to the delivered part.
            if (state.Seam.HasStartedOver || source.Framing != BodyFraming.Events)
                throw new EndpointFaultException(endpoint, s_startedOver);
            if (item.IsEmpty)
                continue;
            Current = _needsBreak ? (byte[])[.. "\n\n"u8, .. item.Span] : item;
            _needsBreak = false;
            return true;
        }
        return false;
    }

    public ValueTask DisposeAsync() => source.DisposeAsync();

    private ReadOnlyMemory<byte> Rewrite(ReadOnlyMemory<byte> item)
    {
        var data = _fields.Read(item.Span, out var name);
        return data is not [(byte)'{', ..] || _fields.IsError ? item : format.Rewrite(data, name, state);
    }
}
