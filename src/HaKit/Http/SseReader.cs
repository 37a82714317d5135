using System.Text.Json;
using HaKit.Faults;

namespace HaKit.Http;

/// <summary>
/// What the events of a stream mean in the dialects that models are streamed in: OpenAI's chunks and response events (Azure, vLLM and the like among
/// them), Anthropic's, Gemini's. It looks for a few byte patterns; that works because a quote within a JSON string is escaped, so that an unescaped
/// <c>"name":</c> is a member's name. What it does not know is content. It knows its stream: one instance for each.
/// </summary>
internal sealed class SseReader(IFaultClassifier classifier, WireDialect dialect, TimeProvider time, RequestKind request = RequestKind.Unknown) : StreamItemReader<ReadOnlyMemory<byte>>
{
    private Fault? _fault;
    private long? _input;
    private long? _output;
    private bool _marksEnd = dialect != WireDialect.Unknown || request == RequestKind.CreatesAnswer;
    private bool _hasContent;
    private bool _hasSeveralChoices;

    /// <summary>Was there any event of an answer yet, and be it empty?</summary>
    public bool HasAnswer { get; private set; }

    // An end without a mark is good only in a dialect we do not know, and only after something.
    public override bool MarksEnd => _marksEnd || !_hasContent;

    public override StreamSignal Read(ReadOnlyMemory<byte> item)
    {
        _input = _output = null;
        var whole = item.Span;
        var data = DataOf(whole, out var name);
        if (data.IsEmpty)
            return StreamSignal.None;
        var signal = data.SequenceEqual("[DONE]"u8) ? Known(StreamSignal.End)
            // Without its blank line the stream ended within it.
            : whole[^1] != '\n' && !JsonOutline.Of(data).IsWhole ? StreamSignal.None
            : data[0] == '{' ? OfJson(data, name)
            : StreamSignal.Content;
        _hasContent |= signal.HasFlag(StreamSignal.Content);
        HasAnswer |= _hasContent;
        if (signal != StreamSignal.Content && data[0] == '{')
            ReadUsage(data);
        return signal;
    }

    public override Fault FaultOf(ReadOnlyMemory<byte> item) => _fault ?? new Fault(FaultKind.ServerError);

    public override int SizeOf(ReadOnlyMemory<byte> item) => item.Length;

    public override bool TryGetUsage(ReadOnlyMemory<byte> item, out long? inputTokens, out long? outputTokens)
    {
        (inputTokens, outputTokens) = (_input, _output);
        return inputTokens is not null || outputTokens is not null;
    }

    // The first data line, and the event's name. None of the dialects breaks its JSON over several lines.
    private static ReadOnlySpan<byte> DataOf(ReadOnlySpan<byte> rest, out ReadOnlySpan<byte> name)
    {
        name = default;
        while (!rest.IsEmpty)
        {
            var feed = rest.IndexOf((byte)'\n');
            var line = feed < 0 ? rest : rest[..feed];
            rest = feed < 0 ? default : rest[(feed + 1)..];
            if (line.StartsWith("data:"u8))
                return line[5..].Trim(" \r"u8);
            if (line.StartsWith("event:"u8))
                name = line[6..].Trim(" \r"u8);
        }
        return default;
    }

    // By its name, if it has one: what an event quotes (a tool's schema) may have members of any name.
    private StreamSignal OfJson(ReadOnlySpan<byte> data, ReadOnlySpan<byte> name)
    {
        var fault = data.IndexOf("\"error\":"u8) >= 0 ? FaultIn(data) : null;
        if (fault == StreamSignal.Error)
            return StreamSignal.Error;
        if (name.IsEmpty && data.StartsWith("{\"type\":"u8))
            name = data[8..].TrimStart((byte)' ') is [(byte)'"', .. var type] && type.IndexOf((byte)'"') is > 0 and var end ? type[..end] : default;
        if (!name.IsEmpty && OfName(name) is { } known)
        {
            HasAnswer |= name.StartsWith("response."u8) || name.StartsWith("message_"u8);
            return Known(known switch
            {
                StreamSignal.Error => fault ?? FaultIn(data) ?? SetFault(new Fault(FaultKind.ServerError)),
                StreamSignal.End when !_hasContent => FaultIn(data) ?? StreamSignal.End,
                _ => known,
            });
        }
        if (ValueAtRoot(data, "\"choices\":"u8) is { } choices)
            return OfChunk(data, data[choices..]);
        if (ValueAtRoot(data, "\"candidates\":"u8) is not null)
            return OfGemini(data);
        return fault ?? FaultIn(data) ?? (request == RequestKind.CreatesAnswer ? StreamSignal.Progress : StreamSignal.Content);
    }

    // Mostly nothing that has an inside comes before it.
    private static int? ValueAtRoot(ReadOnlySpan<byte> data, ReadOnlySpan<byte> member)
    {
        var at = data.IndexOf(member);
        return at < 0 ? null
            : data[1..at].IndexOfAny((byte)'{', (byte)'[') < 0 ? at + member.Length
            : JsonOutline.ValueAtRoot(data, member[1..^2]);
    }

    // Anthropic's events, and those of OpenAI's responses.
    private static StreamSignal? OfName(ReadOnlySpan<byte> name) => name switch
    {
        _ when name.SequenceEqual("content_block_delta"u8) => StreamSignal.Content,
        _ when name.SequenceEqual("message_stop"u8) => StreamSignal.End,
        _ when name.SequenceEqual("error"u8) || name.SequenceEqual("response.failed"u8) => StreamSignal.Error,
        _ when name.SequenceEqual("ping"u8) || name.StartsWith("message_"u8) || name.StartsWith("content_block_"u8) => StreamSignal.None,
        _ when !name.StartsWith("response."u8) => null,
        _ when name.EndsWith(".delta"u8) || name.EndsWith(".done"u8) || name.EndsWith(".partial_image"u8) => StreamSignal.Content,
        _ when name.SequenceEqual("response.completed"u8) || name.SequenceEqual("response.incomplete"u8) => StreamSignal.End,
        _ => StreamSignal.None,
    };

    private StreamSignal OfChunk(ReadOnlySpan<byte> data, ReadOnlySpan<byte> choices)
    {
        _marksEnd = true;
        HasAnswer |= choices.TrimStart((byte)' ') is [(byte)'[', not (byte)']', ..];
        var delta = choices.IndexOf("\"delta\":"u8);
        var rest = delta < 0 ? choices : choices[(delta + 8)..].TrimStart((byte)' ');
        var signal = rest.StartsWith("{\"content\":\""u8) && rest.Length > 12 && rest[12] != '"' || HasContent(choices) ? StreamSignal.Content : StreamSignal.None;
        // With several choices the first to finish says nothing of the others: then only [DONE] is the end.
        if (!_hasSeveralChoices && choices.IndexOf("\"index\":"u8) is >= 0 and var index && (delta < 0 || index < delta)
            && choices[(index + 8)..].TrimStart((byte)' ') is [not (byte)'0', ..])
            _hasSeveralChoices = true;
        if (!_hasSeveralChoices && IsGiven(data, "\"finish_reason\":"u8))
            signal |= StreamSignal.End;
        return signal;
    }

    // Anything in a delta that is not its role and not empty; the text of an old completion. Read properly, because fields and their order vary.
    private static bool HasContent(ReadOnlySpan<byte> choices)
    {
        var reader = new Utf8JsonReader(choices, isFinalBlock: false, state: default);
        try
        {
            var inDelta = 0;
            while (reader.Read() && (reader.CurrentDepth > 0 || reader.TokenType == JsonTokenType.StartArray))
            {
                if (reader.TokenType != JsonTokenType.PropertyName)
                {
                    if (reader.TokenType == JsonTokenType.EndObject && reader.CurrentDepth < inDelta)
                        inDelta = 0;
                    continue;
                }
                var isDelta = reader.CurrentDepth == 2 && (reader.ValueTextEquals("delta"u8) || reader.ValueTextEquals("message"u8));
                var counts = inDelta > 0 && !reader.ValueTextEquals("role"u8) || reader.CurrentDepth == 2 && reader.ValueTextEquals("text"u8);
                if (!reader.Read())
                    return false;
                if (isDelta && reader.TokenType == JsonTokenType.StartObject)
                    inDelta = reader.CurrentDepth + 1;
                else if (counts && IsSomething(ref reader))
                    return true;
                else if (!reader.TrySkip())
                    return false;
            }
        }
        catch (JsonException)
        {
            return true; // not what we know: content
        }
        return false;
    }

    private static bool IsSomething(ref Utf8JsonReader reader)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.String:
                return reader.ValueSpan.Length > 0;
            case JsonTokenType.StartArray or JsonTokenType.StartObject:
                var copy = reader;
                return copy.Read() && copy.TokenType is not (JsonTokenType.EndArray or JsonTokenType.EndObject);
            default:
                return false;
        }
    }

    private StreamSignal OfGemini(ReadOnlySpan<byte> data)
    {
        HasAnswer = true;
        var signal = data.IndexOf("\"parts\":"u8) >= 0 ? StreamSignal.Content : StreamSignal.None;
        return Known(IsGiven(data, "\"finishReason\":"u8) ? signal | StreamSignal.End : signal);
    }

    // Servers exist that send an empty reason with every chunk.
    private static bool IsGiven(ReadOnlySpan<byte> data, ReadOnlySpan<byte> reason) =>
        data.IndexOf(reason) is >= 0 and var at && data[(at + reason.Length)..].TrimStart((byte)' ') is [(byte)'"', not (byte)'"', ..] and var text
        && !text.StartsWith("\"FINISH_REASON_UNSPECIFIED\""u8);

    // An answer that a filter ended is at its end; before any content of it another endpoint may be asked.
    private StreamSignal? FaultIn(ReadOnlySpan<byte> data)
    {
        var evidence = new FaultEvidence { StatusCode = 200, Body = data.ToArray(), Dialect = dialect, Request = request, Now = time.GetUtcNow() };
        _fault = classifier.Classify(in evidence);
        return _fault is null ? null : _hasContent && _fault.Kind == FaultKind.ContentFilter ? StreamSignal.End : StreamSignal.Error;
    }

    private StreamSignal SetFault(Fault fault)
    {
        _fault = fault;
        return StreamSignal.Error;
    }

    private StreamSignal Known(StreamSignal signal)
    {
        _marksEnd = true;
        return signal;
    }

    private void ReadUsage(ReadOnlySpan<byte> data)
    {
        var at = data.LastIndexOf("\"usage\":"u8) is >= 0 and var usage ? usage + 8
            : data.LastIndexOf("\"usageMetadata\":"u8) is >= 0 and var metadata ? metadata + 16
            : -1;
        if (at >= 0)
            JsonOutline.TryReadUsage(data[at..], out _input, out _output);
    }
}
