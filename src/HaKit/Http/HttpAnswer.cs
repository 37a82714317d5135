using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using HaKit.Dialects;
using HaKit.Faults;

namespace HaKit.Http;

/// <summary>Examines one response within its attempt, and decides whether it is an answer for the caller.</summary>
internal readonly struct HttpAnswer(EndpointPool pool, EndpointAttempt attempt, HttpCall call, HttpRequestMessage request, HttpResponseMessage response)
{
    private static readonly System.Buffers.SearchValues<string> s_text = System.Buffers.SearchValues.Create(
        ["json", "xml", "javascript", "event-stream", "x-www-form-urlencoded"], StringComparison.OrdinalIgnoreCase);

    private static readonly System.Buffers.SearchValues<string> s_binary = System.Buffers.SearchValues.Create(
        ["audio/", "image/", "video/", "multipart/", "eventstream", "grpc", "protobuf", "msgpack", "zip", "pdf"], StringComparison.OrdinalIgnoreCase);

    public ValueTask<HttpResponseMessage> ExamineAsync(CancellationToken token)
    {
        if (attempt.Lease.State.IsLimited)
            attempt.Lease.Observe(response.Headers, pool.Time);
        if (IsRedirect(response))
            throw DeclareFault(new Fault(FaultKind.BrokenBody) { Applied = FaultApplied.Rejected, StatusCode = (int)response.StatusCode });
        // After an upgrade that a GET requested, the content is the connection itself. The caller reads it and writes to it, so the pool must not touch it.
        if (response.StatusCode == HttpStatusCode.SwitchingProtocols && request.Method == HttpMethod.Get)
            return new(response);
        // Any other response with a status below 200 is not an answer: 0 is not a status, and a 1xx comes before the answer.
        if ((int)response.StatusCode < 200)
            throw DeclareFault(new Fault(FaultKind.BrokenBody) { StatusCode = (int)response.StatusCode });
        if (!response.IsSuccessStatusCode)
            return ReadFailureAsync(token);
        var type = TypeOf(response.Content);
        var isReadable = !IsEncoded(response.Content);
        // These responses have no body. Their Content-Type does not matter.
        if (request.Method == HttpMethod.Head || (int)response.StatusCode is 204 or 205)
            return new(HandleEmpty());
        if (isReadable && type.StartsWith("text/event-stream", StringComparison.OrdinalIgnoreCase))
            return ReadStreamAsync(isLabelled: true, token);
        if (isReadable && MayBeStream(type))
            return ReadStreamAsync(isLabelled: false, token);
        if (isReadable && (ModelFinder.IsJson(type) && !IsJsonSequence(type) || !call.AsksForStream && Shape is { IsJson: true } && (IsVague(type) || IsText(type))))
            return ReadJsonAsync(token);
        // A web page where data was requested comes from a gateway, not from the endpoint.
        if (type.StartsWith("text/html", StringComparison.OrdinalIgnoreCase) && AcceptsDataOnly())
            throw DeclareFault(new Fault(FaultKind.BrokenBody) { StatusCode = (int)response.StatusCode });
        return response.Content.Headers.ContentLength == 0 ? new(HandleEmpty()) : PassOnAsync(default, token);
    }

    // A GET for JSON lines returns data of the caller, such as a file, in which a line may look like an error or like an end. This data is passed on as it
    // arrives. The Content-Type may be wrong or missing. So if a stream was requested, the first byte of the body decides how the body is divided into items.
    private bool MayBeStream(string type)
    {
        if (request.Method != HttpMethod.Post)
            return false;
        return IsJsonSequence(type)
            || call.AsksForStream && (ModelFinder.IsJson(type) || MayBeText(type)) && (response.Content.Headers.ContentLength != 0 || Shape is { IsJson: true });
    }

    // Handles a response without a body. If the request asks a model for an answer, the answer is missing, so the attempt has failed.
    private HttpResponseMessage HandleEmpty()
    {
        if (Kind == RequestKind.CreatesAnswer)
            attempt.ReportFault(CreateNoAnswerFault());
        return response;
    }

    private AnswerShape? Shape => call.ShapeOn(attempt.Endpoint.Dialect);

    private RequestKind Kind => call.KindOn(attempt.Endpoint.Dialect);

    /// <summary>Checks whether the answer is a redirect.</summary>
    public static bool IsRedirect(HttpResponseMessage response) => (int)response.StatusCode is >= 300 and < 400 and not 304;

    /// <summary>Creates the failure of an attempt whose endpoint redirects to another server, or in a circle.</summary>
    public static EndpointFaultException DeclareMisdirected(EndpointAttempt attempt)
    {
        var fault = new Fault(FaultKind.BrokenBody) { Applied = FaultApplied.Rejected };
        attempt.ReportFault(fault);
        return new EndpointFaultException(attempt.Endpoint.Name, fault);
    }

    // The caller can still read the whole body of a refusal that is returned, even if the pool has already read a part of it.
    private async ValueTask<HttpResponseMessage> ReadFailureAsync(CancellationToken token)
    {
        var body = await RefusalBody.ReadAsync(response.Content, pool.Engine.Clock, token).ConfigureAwait(false);
        if (Classify(body.Read, response.Headers) is { } fault)
        {
            if (fault.IsProvisional && call.Kinds.FindRefused(attempt, fault, isJson: IsObject(body.Read.Span)) is { } kind)
            {
                fault = fault with { RequestFeature = kind };
            }
            attempt.ReportFault(fault);
            if (Shape is not null)
                HttpPoolState.Get(pool).UnknownShapes.AddRefusal(attempt, fault.StatusCode, body.Read.Span);
            if (fault is { Kind: FaultKind.ModelNotFound, IsProvisional: true })
            {
                attempt.Lease.State.RecordLackOfModel(pool.Engine.Clock.Now);
                HttpPoolState.Get(pool).WarnOfMissingModel(attempt.Endpoint, fault.StatusCode);
            }
            if (fault is { Kind: FaultKind.NotServed, IsProvisional: true })
                HttpPoolState.Get(pool).WarnOfNotServed(attempt.Endpoint, fault.StatusCode, request.Method, call.Path);
        }
        var limits = new RefusalLimits(pool.Engine.Clock, pool.Engine.Settings.Streaming.IdleTimeout, attempt.Lease.Deadline);
        response.ReplaceContent(body.ToContent(response.Content, limits), body.IsWhole);
        return response;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<HttpResponseMessage> ReadJsonAsync(CancellationToken token)
    {
        var limit = pool.Options.Http.MaxAnswerBytes;
        if (DeclaredLength() > limit)
            return await PassOnAsync(default, token).ConfigureAwait(false);
        var buffer = LimitedBuffer.Rent(limit);
        ArraySegment<byte> body;
        try
        {
            // CopyToAsync is not used, because a wrapped HttpContent may copy without the token.
            var stream = await response.Content.ReadAsStreamAsync(token).ConfigureAwait(false);
            if (!await buffer.FillAsync(stream, token).ConfigureAwait(false))
                return await PassOnAsync(buffer.Detach(), token).ConfigureAwait(false);
            body = buffer.Detach();
        }
        finally
        {
            buffer.Return();
        }
        // An empty body counts as cut only if its Content-Type is JSON. With any other Content-Type it is complete, but it is not an answer.
        if (body.Count == 0 && Kind == RequestKind.CreatesAnswer && !ModelFinder.IsJson(TypeOf(response.Content)) && !IsEmptyOnPurpose(0))
        {
            response.ReplaceContent(new WholeContent(body), isWhole: true);
            return HandleEmpty();
        }
        var outline = JsonOutline.Read(body);
        var isAnswer = Shape?.IsMetBy(body) ?? true;
        var hasFailed = isAnswer && Shape is not null && FailedEnds.HasFailedBase(body);
        if (!outline.IsWhole && !IsEmptyOnPurpose(body.Count) && (isAnswer || IsJsonText(body)))
            throw DeclareFault(new Fault(FaultKind.BrokenBody) { StatusCode = (int)response.StatusCode });
        // A GET for the state of a job returns the error of that job, so only answers to POST are checked. The first classification has no headers, because the
        // body alone shows whether there is a fault. The headers only describe the fault.
        if (request.Method == HttpMethod.Post && (outline.MightTellFault || pool.Owners.Classifier.HasOwn) && Classify(body, null) is not null && Classify(body, response.Headers) is { } fault)
        {
            // An answer that a filter ended is a valid answer; any other error is not.
            if (fault.Kind != FaultKind.ContentFilter)
                throw DeclareFault(fault);
            attempt.ReportFault(fault);
        }
        if (request.Method == HttpMethod.Post && LongErrorIn(body) is { } hidden && hidden.Kind != FaultKind.ContentFilter)
            throw DeclareFault(hidden);
        if ((!isAnswer || hasFailed) && attempt.Lease.Declared is null && Kind == RequestKind.CreatesAnswer)
        {
            // A body such as {"status":503,"message":"busy"} is an error without an error object. It is classified by the status in the body.
            attempt.ReportFault(FlatError.IsIn(body) && Classify(FlatError.AsObject(body), response.Headers) is { Kind: not FaultKind.BrokenBody } flat ? flat : CreateNoAnswerFault());
            HttpPoolState.Get(pool).UnknownShapes.Add(attempt, (int)response.StatusCode, body);
        }
        if (outline.Usage is { } usage && JsonOutline.TryReadUsage(body.AsSpan(usage), out var input, out var output, out var cached))
            attempt.ReportUsage(input, output, cached);
        if (call.MakesState)
            call.RememberState(attempt.Endpoint, body);
        response.ReplaceContent(new WholeContent(body), isWhole: true);
        return response;
    }

    // Reads the length as the server wrote it. The typed property would parse the header and store the result, or compute a missing length. That work would be
    // wasted, because the content is replaced.
    private long? DeclaredLength() =>
        response.Content.Headers.NonValidated.TryGetValues("Content-Length", out var values) && long.TryParse(values.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var length)
            ? length : null;

    private async ValueTask<HttpResponseMessage> ReadStreamAsync(bool isLabelled, CancellationToken token)
    {
        var (lease, engine, endpoint) = (attempt.Lease, pool.Engine, attempt.Endpoint);
        var events = new SseEvents(await response.Content.ReadAsStreamAsync(token).ConfigureAwait(false), response.Content, pool.Options.Http.MaxAnswerBytes, isLabelled);
        var reader = new SseReader(pool.Owners.Classifier, endpoint.Dialect, pool.Time, Shape is null ? RequestKind.Other : RequestKind.CreatesAnswer, Shape)
        {
            Source = events,
            StoredObjectSeen = call.MakesState ? Remember : null,
            Choices = call.Choices,
            IsReport = request.Method != HttpMethod.Post,
            MayBeEmpty = IsEmptyOnPurpose(0),
        };
        var items = events.GetAsyncEnumerator(token);
        var continuation = call.NewContinuation(events);
        if (continuation is not null)
            (reader.Continuation, events.DropsTornTail) = (continuation, true);
        var answer = new StreamedAnswer<ReadOnlyMemory<byte>>(engine, lease, call.Rest?.Join(events, reader, endpoint) ?? items, reader, lease.CallerToken);
        try
        {
            await answer.CommitAsync().ConfigureAwait(false);
        }
        catch
        {
            await answer.DropAsync().ConfigureAwait(false);
            throw;
        }
        events.HandOver(lease.Token); // a strategy of the application may reuse its token for other calls as soon as the attempt is over
        lease.IsHandedOver = true;
        if (continuation is not null)
        {
            answer.ContinueWith(continuation.ContinueAsync);
            var asked = request;
            answer.DetailChanged = detail => asked.Options.Set(EndpointPoolHandler.DetailKey, detail);
        }
        // A stream with only an end mark is not an answer. If another endpoint is left, the call moves on to it.
        if (Kind == RequestKind.CreatesAnswer && (answer.HasEnded || reader.IsEmpty) && !reader.HasAnswer)
            attempt.ReportFault(CreateNoAnswerFault());
        response.ReplaceContent(new AnswerContent(new AnswerStream(answer)), isWhole: false); // the events own the old content
        return response;
    }

    private void Remember(ReadOnlySpan<byte> json) => call.RememberState(attempt.Endpoint, json);

    private async ValueTask<HttpResponseMessage> PassOnAsync(ReadOnlyMemory<byte> read, CancellationToken token)
    {
        var pieces = new BodyPieces(read, await response.Content.ReadAsStreamAsync(token).ConfigureAwait(false), response.Content, attempt.Lease.Token);
        // After the headers have arrived, neither the call's token nor a strategy's token applies to the body; each read has its own token.
        var answer = new StreamedAnswer<ReadOnlyMemory<byte>>(pool.Engine, attempt.Lease, pieces, PieceReader.Instance, CancellationToken.None);
        attempt.Lease.IsHandedOver = true;
        response.ReplaceContent(new AnswerContent(new AnswerStream(answer)), isWhole: false); // the pieces own the old content
        return response;
    }

    // The classifier reads the first 64 KiB. An error object that begins after these bytes, or does not end within them, is an error too.
    private Fault? LongErrorIn(ArraySegment<byte> body)
    {
        if (body.Count <= ErrorReader.MostBytes || JsonOutline.ValueAtRoot(body, "error"u8) is not { } at || body.AsSpan(at) is not [(byte)'{', ..])
            return null;
        var length = JsonOutline.LengthOfValue(body.AsSpan(at));
        return length > ErrorReader.MostBytes ? new Fault(FaultKind.ServerError) { StatusCode = (int)response.StatusCode }
            : Classify((byte[])[.. "{\"error\":"u8, .. body.AsSpan(at, length), (byte)'}'], response.Headers);
    }

    private Fault? Classify(ReadOnlyMemory<byte> body, HttpResponseHeaders? headers)
    {
        var evidence = new FaultEvidence
        {
            StatusCode = (int)response.StatusCode,
            Headers = headers,
            Body = body,
            Dialect = attempt.Endpoint.Dialect,
            // A classification without headers only finds out whether there is a fault. The kind of the request does not change this result.
            Request = headers is null ? RequestKind.Unknown : Kind,
            Now = pool.Time.GetUtcNow(),
        };
        return pool.Owners.Classifier.Classify(in evidence);
    }

    // Creates the fault of a response that has the status of a success, but contains no answer. If the responses of all endpoints have no answer, the caller
    // gets the response unchanged.
    private Fault CreateNoAnswerFault() => new(FaultKind.BrokenBody) { StatusCode = (int)response.StatusCode, SecondOpinion = SecondOpinion.Each, IsProvisional = true };

    // NDJSON, JSON Lines and similar types: one JSON value after another.
    private static bool IsJsonSequence(string type) => type.StartsWith("application/", StringComparison.OrdinalIgnoreCase)
        && (type.Contains("ndjson", StringComparison.OrdinalIgnoreCase) || type.Contains("jsonl", StringComparison.OrdinalIgnoreCase)
            || type.Contains("json-seq", StringComparison.OrdinalIgnoreCase) || type.Contains("stream+json", StringComparison.OrdinalIgnoreCase));

    // Checks whether a body is read as text although a stream was requested and the Content-Type is neither JSON nor events. Servers may send a wrong
    // Content-Type. On a path where answers are JSON, every type except a binary type is read as text. On other paths, only a vague type is read as text.
    private bool MayBeText(string type) => IsVague(type) || Shape is { IsJson: true } && !IsBinary(type);

    // Checks whether the Content-Type is one of the wrong types that servers give to a JSON answer or error.
    private static bool IsText(string type) => type.AsSpan().ContainsAny(s_text);

    private static bool IsBinary(string type) => type.AsSpan().ContainsAny(s_binary);

    // Content types that do not describe the body.
    private static bool IsVague(string type) =>
        type.Length == 0 || type.StartsWith("text/", StringComparison.OrdinalIgnoreCase) || type.Contains("octet-stream", StringComparison.OrdinalIgnoreCase);

    // Checks whether the missing body is correct: the response to a deletion, to a replacement or to an accepted job (201, 202) needs no body.
    private bool IsEmptyOnPurpose(int length) =>
        length == 0 && ((int)response.StatusCode is 201 or 202 || request.Method != HttpMethod.Post && request.Method != HttpMethod.Get);

    private static bool IsObject(ReadOnlySpan<byte> body) => body.TrimStart(" \t\r\n"u8) is [(byte)'{', ..];

    // Only a JSON text shows whether it was cut. Any other text counts as complete.
    private static bool IsJsonText(ReadOnlySpan<byte> body) => body.TrimStart(" \t\r\n"u8) is [] or [(byte)'{' or (byte)'[' or (byte)'"', ..];

    private EndpointFaultException DeclareFault(Fault fault)
    {
        fault = attempt.Lease.WithoutSecret(fault);
        attempt.ReportFault(fault);
        return new EndpointFaultException(attempt.Endpoint.Name, fault);
    }

    private bool AcceptsDataOnly() => request.Headers.NonValidated.TryGetValues("Accept", out var accept) && accept.ToString() is var text
        && (text.Contains("application/json", StringComparison.OrdinalIgnoreCase) || text.Contains("text/event-stream", StringComparison.OrdinalIgnoreCase))
        && !text.Contains("html", StringComparison.OrdinalIgnoreCase) && !text.Contains("*/*", StringComparison.Ordinal);

    // The pool did not request this encoding and no inner handler decoded it, but the caller may be able to decode it.
    private static bool IsEncoded(HttpContent content) =>
        content.Headers.NonValidated.TryGetValues("Content-Encoding", out var encoding) && encoding.ToString() is not "" and var text
        && !text.Equals("identity", StringComparison.OrdinalIgnoreCase);

    private static string TypeOf(HttpContent content) => content.Headers.NonValidated.TryGetValues("Content-Type", out var type) ? type.ToString() : "";
}
