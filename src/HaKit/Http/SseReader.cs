using System.Text.Json;
using HaKit.Dialects;
using HaKit.Faults;

namespace HaKit.Http;

/// <summary>
/// Classifies the items of a stream in the dialects of streaming models: OpenAI's chunks and events (also Azure, vLLM and similar servers), Anthropic's,
/// Gemini's and Ollama's. It searches for a few byte patterns. This works because a quote inside a JSON string is escaped, so an unescaped <c>"name":</c> is a
/// member's name. In a known dialect an unknown item is progress; in an unknown dialect, data that is not empty is content. A dialect is known if it is
/// declared, if the path belongs to a dialect, or from the first known item on. The reader has the state of its stream, so each stream needs its own instance.
/// </summary>
internal sealed class SseReader(IFaultClassifier classifier, WireDialect dialect, TimeProvider time, RequestKind request = RequestKind.Unknown, AnswerShape? shape = null) : StreamItemReader<ReadOnlyMemory<byte>>
{
    private readonly EventData _fields = new();
    private Fault? _fault;
    private long? _input;
    private long? _cached;
    private long? _output;
    private bool _isKnown = dialect != WireDialect.Unknown || shape is not null || request == RequestKind.CreatesAnswer;
    private bool _hasContent;
    private bool _hasEnded;
    private bool _isTorn;
    private bool _hasItem;
    private ChoiceEnds _choices = new(asked: 1);
    private ulong _lastProgress;

    /// <summary>Gets the source of the items, which knows how the body is divided into items. Null: each item is one event.</summary>
    public SseEvents? Source { get; init; }

    /// <summary>Gets the callback for each event that may name stored objects. Null: none.</summary>
    public StoredObjectWatch? StoredObjectSeen { get; init; }

    /// <summary>Sets how many choices the request asks for. The end of one choice is not the end of the others.</summary>
    public int Choices { init => _choices = new(value); }

    /// <summary>
    /// Gets whether the stream is only a report, for example about a job. A stream is a report if the request is not a POST. An error in a report is not a
    /// fault of the endpoint.
    /// </summary>
    public bool IsReport { get; init; }

    /// <summary>Gets whether a body without any byte is complete.</summary>
    public bool MayBeEmpty { get; init; }

    /// <summary>Gets or sets the object that records the delivered part, if the answer may be continued. Otherwise null.</summary>
    public HttpContinuation? Continuation { get; set; }

    /// <summary>
    /// Gets or sets the state of the rest, if the items are the rest of a cut answer. Otherwise null. Each item of a rest reports the usage of the whole answer,
    /// because the caller reads one answer. The state has the usage of the rest alone, and <see cref="TryGetUsage"/> returns this usage.
    /// </summary>
    public RestState? Rest { get; set; }

    /// <summary>Gets whether any item of an answer has arrived, even an empty one.</summary>
    public bool HasAnswer { get; private set; }

    /// <summary>Gets whether nothing has arrived.</summary>
    public bool IsEmpty => !_hasItem;

    // If true, a stream that ends without an end mark was cut. If false, it is complete. It is false in two cases, both only after some content: the dialect is
    // not known, or the server gave fewer choices than the request asks for, and the only choice has ended. It is also false for an empty stream if MayBeEmpty
    // is true.
    public override bool MarksEnd => _isTorn || Source is { DroppedTail: true }
        || (_isKnown || !_hasContent) && (_hasItem || !MayBeEmpty) && !(_choices.HasOnlyEnded && _hasContent);

    // If the answers of a path are not known, JSON values one after another are the caller's own data, such as the progress of a job. They have no end mark, and
    // each value after the first may report an error. If one of them shows its dialect, the rules of the dialect apply from there on.
    private bool IsCallersData => _fields.IsBare && shape is null;

    public override StreamSignal Read(ReadOnlyMemory<byte> item)
    {
        _input = _output = _cached = null;
        _hasItem = true;
        var whole = item.Span;
        if (Source is { Framing: BodyFraming.Pieces })
            return ClassifyPiece();
        var data = _fields.Read(whole, out var name);
        if (data.IsEmpty)
            return name.SequenceEqual("error"u8) ? AdjustError(SetFault(new Fault(FaultKind.ServerError))) : StreamSignal.None;
        var signal = AdjustError(ClassifyData(data, name, endsInside: _fields.IsBare ? Source?.TookTail == true : whole[^1] is not ((byte)'\n' or (byte)'\r')));
        _hasContent |= (signal & StreamSignal.Content) != 0;
        _hasEnded |= (signal & StreamSignal.End) != 0;
        HasAnswer |= _hasContent;
        if (data[0] == '{')
        {
            ReadUsage(data);
            if (signal != StreamSignal.Error)
                Continuation?.RecordDelivered(data);
        }
        return signal;
    }

    private StreamSignal ClassifyData(ReadOnlySpan<byte> data, ReadOnlySpan<byte> name, bool endsInside)
    {
        if (_fields.IsError)
            return ClassifyErrorLine(data);
        if (data.SequenceEqual("[DONE]"u8))
        {
            _isKnown = true;
            return StreamSignal.End;
        }
        // If the blank line after the event is missing and the JSON is incomplete, the stream was cut inside this event.
        if (endsInside && !JsonOutline.Read(data).IsWhole)
        {
            _isTorn = data[0] == '{';
            return StreamSignal.None;
        }
        if (data[0] == '{')
            return ClassifyJson(data, name);
        return _fields.IsBare ? ClassifyBareText(data) : ClassifyText(data, name);
    }

    private StreamSignal AdjustError(StreamSignal signal)
    {
        if (signal == StreamSignal.Error && IsReport)
            return StreamSignal.Content | StreamSignal.End;
        return signal == StreamSignal.Error && IsCallersData && _hasContent && !_isKnown ? StreamSignal.Content : signal;
    }

    public override Fault FaultOf(ReadOnlyMemory<byte> item) => _fault ?? new Fault(FaultKind.ServerError);

    public override int SizeOf(ReadOnlyMemory<byte> item) => item.Length;

    public override bool TryGetUsage(ReadOnlyMemory<byte> item, out long? inputTokens, out long? outputTokens)
    {
        (inputTokens, outputTokens) = Rest is null ? (_input, _output) : (Rest.OwnUsage?.Input, Rest.OwnUsage?.Output);
        return inputTokens is not null || outputTokens is not null;
    }

    public override long? CachedTokensOf(ReadOnlyMemory<byte> item) => _cached;

    // An error object decides first. Otherwise the event's name decides, if there is one: a text inside an event (a tool's schema) may have members of any
    // name.
    private StreamSignal ClassifyJson(ReadOnlySpan<byte> data, ReadOnlySpan<byte> name)
    {
        var fault = data.IndexOf("\"error\""u8) >= 0 ? FaultIn(data) : null;
        if (fault == StreamSignal.Error)
            return StreamSignal.Error;
        var meaning = name.IsEmpty ? EventMeaning.Unknown : StreamEvents.MeaningOf(name);
        if (meaning == EventMeaning.Unknown && StreamPieces.TypeOf(data) is { IsEmpty: false } type)
            meaning = StreamEvents.MeaningOf(name = type);
        if (meaning == EventMeaning.KeepAlive)
            return StreamSignal.None;
        if (meaning != EventMeaning.Unknown)
            return ClassifyEvent(data, name, meaning, fault);
        return ClassifyUnnamed(data, name, fault);
    }

    // An event without a name is recognised by its members.
    private StreamSignal ClassifyUnnamed(ReadOnlySpan<byte> data, ReadOnlySpan<byte> name, StreamSignal? fault)
    {
        if (StreamPieces.ValueAtRoot(data, "\"choices\":"u8) is { } choices)
            return ClassifyChunk(data, data[choices..]);
        if (StreamPieces.ValueAtRoot(data, "\"candidates\":"u8) is { } candidates)
            return ClassifyGemini(data, data[candidates..]);
        if (_isKnown && FlatError.IsNameOfFailure(name))
            return FaultIn(FlatError.AsObject(data)) ?? SetFault(new Fault(FaultKind.ServerError));
        return ClassifyWhole(data) ?? ClassifyOllama(data) ?? fault ?? FaultIn(data) ?? ClassifyUnknown(data, name);
    }

    private StreamSignal ClassifyEvent(ReadOnlySpan<byte> data, ReadOnlySpan<byte> name, EventMeaning meaning, StreamSignal? fault)
    {
        _isKnown = true;
        HasAnswer |= name.StartsWith("response."u8) || name.StartsWith("message_"u8);
        // Pieces of text contain no ids of objects, but events that begin, end or add an item may contain them.
        if (StoredObjectSeen is { } watch && !name.EndsWith(".delta"u8))
            watch(data);
        switch (meaning)
        {
            case EventMeaning.Error:
                return fault ?? FaultIn(data) ?? SetFault(new Fault(FaultKind.ServerError));
            case EventMeaning.Content:
                return StreamPieces.IsEmpty(data) ? StreamSignal.None : StreamSignal.Content;
            case EventMeaning.Final:
                return _choices.TryEndLast(1) ? StreamSignal.Content | StreamSignal.End : StreamSignal.Content;
            case EventMeaning.Progress:
                return ClassifyProgress(data, name);
            case EventMeaning.End:
                return ClassifyEnd(data);
            default:
                // Anthropic sends the finish reason before the end. The input of a tool may have a member of the same name.
                return !name.StartsWith("content_block"u8) && StreamPieces.TextAfter(data, "\"stop_reason\""u8) is { IsEmpty: false } reason ? ClassifyFinish(data, FinishReasons.MeaningOf(reason)) & ~StreamSignal.End : StreamSignal.None;
        }
    }

    private StreamSignal ClassifyEnd(ReadOnlySpan<byte> data)
    {
        if (FailedEnds.HasFailedResponse(data) || !_hasContent && StreamPieces.TextAtRoot(data, "status"u8).SequenceEqual("failed"u8))
            return FaultIn(data) ?? SetFault(new Fault(FaultKind.ServerError));
        if (_hasContent)
            return StreamSignal.End;
        if (FaultIn(data) is { } fault)
            return fault;
        return StreamPieces.HasElements(data, "\"output\""u8) ? StreamSignal.Content | StreamSignal.End : StreamSignal.End;
    }

    private StreamSignal ClassifyChunk(ReadOnlySpan<byte> data, ReadOnlySpan<byte> choices)
    {
        _isKnown = true;
        var signal = StreamPieces.HasContent(choices) ? StreamSignal.Content : StreamSignal.None;
        _choices.HasSeveral = _choices.HasSeveral || StreamPieces.HasSeveralChoices(choices);
        var finish = StreamPieces.FinishOf(data);
        // A role alone is not an answer. An end with a finish reason is an answer, even if the answer is empty.
        HasAnswer |= finish != FinishMeaning.None;
        var end = ClassifyFinish(data, finish);
        if (end == StreamSignal.Error)
            return end;
        if ((finish != FinishMeaning.None || signal == StreamSignal.None) && FailedEnds.HasFailedBase(data))
            return SetFault(new Fault(FaultKind.ServerError));
        return end == StreamSignal.None || _choices.TryEndBeforeMark() ? signal | end : signal;
    }

    private StreamSignal ClassifyGemini(ReadOnlySpan<byte> data, ReadOnlySpan<byte> candidates)
    {
        (_isKnown, HasAnswer) = (true, true);
        _choices.HasSeveral = _choices.HasSeveral || StreamPieces.HasSeveralChoices(candidates);
        var signal = StreamPieces.HasParts(data) ? StreamSignal.Content : StreamSignal.None;
        var end = ClassifyFinish(data, StreamPieces.FinishOfCandidates(candidates, out var ended));
        if (end == StreamSignal.Error)
            return end;
        // Gemini has no other end mark than the finish reasons of all candidates.
        return _choices.AsksForSeveral && !_choices.TryEndLast(ended) ? signal : signal | end;
    }

    // Classifies a whole answer that was sent although a stream was requested: OpenAI's response, Anthropic's message.
    private StreamSignal? ClassifyWhole(ReadOnlySpan<byte> data)
    {
        if (!_fields.IsBare || !(StreamPieces.TextAtRoot(data, "object"u8).SequenceEqual("response"u8) || StreamPieces.TypeOf(data).SequenceEqual("message"u8)))
            return null;
        (_isKnown, HasAnswer) = (true, true);
        StoredObjectSeen?.Invoke(data);
        var reason = StreamPieces.TextAtRoot(data, "stop_reason"u8) is { IsEmpty: false } stop ? stop : StreamPieces.TextAtRoot(data, "status"u8);
        // The status "incomplete" means that the response has reached a limit on its length. The provider sends no more of it, so it was not cut.
        var meaning = reason.SequenceEqual("incomplete"u8) ? FinishMeaning.End : FinishReasons.MeaningOf(reason);
        return ClassifyFinish(data, meaning) is StreamSignal.Error ? StreamSignal.Error : StreamSignal.Content | StreamSignal.End;
    }

    private StreamSignal? ClassifyOllama(ReadOnlySpan<byte> data)
    {
        if (JsonOutline.ValueAtRoot(data, "done"u8) is not { } done
            || (JsonOutline.ValueAtRoot(data, "message"u8) ?? JsonOutline.ValueAtRoot(data, "response"u8)) is not { } said)
        {
            return null;
        }

        (_isKnown, HasAnswer) = (true, true);
        var signal = StreamPieces.IsSomething(data[said..], except: "role"u8) ? StreamSignal.Content : StreamSignal.None;
        if (!data[done..].StartsWith("true"u8))
            return signal;
        JsonOutline.TryReadUsage(data, out _input, out _output);
        return ClassifyFinish(data, FinishReasons.MeaningOf(StreamPieces.TextAtRoot(data, "done_reason"u8))) == StreamSignal.Error ? StreamSignal.Error : signal | StreamSignal.End;
    }

    private StreamSignal ClassifyUnknown(ReadOnlySpan<byte> data, ReadOnlySpan<byte> name)
    {
        if (!StreamPieces.IsSomething(data, except: default) || _isKnown && StreamPieces.IsEnvelope(data))
            return StreamSignal.None;
        if (!_isKnown)
            return StreamSignal.Content;
        // {"code":500,"message":"x"} is an error without an error object. After the end of an answer, a similar object only describes the answer:
        // {"status":"finished","message":"bye"}.
        if (!_hasEnded && !FlatError.TellsSuccess(data) && (StreamPieces.LooksLikeError(data) || FlatError.IsIn(data)))
            return FaultIn(FlatError.AsObject(data)) ?? SetFault(new Fault(FaultKind.ServerError));
        if (IsCallersData)
        {
            _isKnown = false;
            return StreamSignal.Content;
        }
        if (_fields.IsBare && shape!.IsMetBy(data))
            return StreamSignal.Content | StreamSignal.End; // a whole answer of a kind that is not streamed
        return ClassifyProgress(data, name);
    }

    // An event that differs from the previous event only in numbers is a keep-alive. It does not show that the endpoint works on the answer.
    private StreamSignal ClassifyProgress(ReadOnlySpan<byte> data, ReadOnlySpan<byte> name)
    {
        var outline = unchecked(31 * StreamPieces.ShapeOf(data) + StreamPieces.ShapeOf(name));
        if (outline == _lastProgress)
            return StreamSignal.None;
        _lastProgress = outline;
        return StreamSignal.Progress;
    }

    // On a path whose answers are JSON, a piece of plain text is not an answer. On any other path it is content, and the answer needs no end mark.
    private StreamSignal ClassifyPiece()
    {
        if (shape is { IsJson: true })
            return StreamSignal.None;
        (_isKnown, _hasContent, HasAnswer) = (false, true, true);
        return StreamSignal.Content;
    }

    // Classifies an item that has no field name and is not a JSON object, such as the end of an array of elements.
    private StreamSignal ClassifyBareText(ReadOnlySpan<byte> data)
    {
        if (data is [(byte)']'])
        {
            _isKnown = true;
            return _hasContent ? StreamSignal.End : StreamSignal.None;
        }
        if (data is [(byte)'[', ..] && !StreamPieces.IsSomething(data, except: default))
            return StreamSignal.None;
        return JsonOutline.Read(data).IsWhole && !_isKnown ? StreamSignal.Content : StreamSignal.None;
    }

    private StreamSignal ClassifyText(ReadOnlySpan<byte> data, ReadOnlySpan<byte> name)
    {
        var meaning = name.IsEmpty ? EventMeaning.Unknown : StreamEvents.MeaningOf(name);
        // In a known dialect all data is JSON. So a web page, and plain text that reads like an error ("Error: upstream closed"), are failures.
        if (meaning == EventMeaning.Error || _isKnown && (data[0] == '<' || FlatError.IsNameOfFailure(name) || FlatError.IsNameOfFailure(data)))
            return SetFault(new Fault(FaultKind.ServerError));
        if (meaning == EventMeaning.KeepAlive || data.SequenceEqual("null"u8) || data.SequenceEqual("\"\""u8) || data.SequenceEqual("[]"u8))
            return StreamSignal.None;
        return _isKnown ? ClassifyProgress(data, name) : StreamSignal.Content;
    }

    private StreamSignal ClassifyErrorLine(ReadOnlySpan<byte> data) =>
        FaultIn(data) ?? (data[0] == '{' ? FaultIn(FlatError.AsObject(data)) : null) ?? SetFault(new Fault(FaultKind.ServerError));

    private StreamSignal ClassifyFinish(ReadOnlySpan<byte> data, FinishMeaning finish) => finish switch
    {
        FinishMeaning.Failure => FaultIn(data) is StreamSignal.Error ? StreamSignal.Error : SetFault(new Fault(FaultKind.ServerError)),
        FinishMeaning.None => StreamSignal.None,
        _ => StreamSignal.End, // an answer that a filter ended is a valid answer
    };

    // An answer that a filter ended is complete. If it has no content yet, the call may move on to another endpoint.
    private StreamSignal? FaultIn(ReadOnlySpan<byte> data)
    {
        var evidence = new FaultEvidence { StatusCode = 200, Body = data.ToArray(), Dialect = dialect, Request = request, Now = time.GetUtcNow() };
        _fault = classifier.Classify(in evidence);
        if (_fault is null)
            return null;
        return _hasContent && _fault.Kind == FaultKind.ContentFilter ? StreamSignal.End : StreamSignal.Error;
    }

    private StreamSignal SetFault(Fault fault)
    {
        _fault = fault;
        return StreamSignal.Error;
    }

    private void ReadUsage(ReadOnlySpan<byte> data)
    {
        if (UsageWords.FindObject(data) is >= 0 and var at)
            JsonOutline.TryReadUsage(data[at..], out _input, out _output, out _cached);
    }
}
