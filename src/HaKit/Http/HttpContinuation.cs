using HaKit.Dialects;
using HaKit.Failover;

namespace HaKit.Http;

/// <summary>
/// Records what a caller has received of one streamed answer over HTTP, and requests the rest after a cut. That request is the caller's request plus the
/// beginning of the answer, sent through the same handlers. One for each stream; used by one reader.
/// </summary>
internal sealed class HttpContinuation
{
    private readonly EndpointPool _pool;
    private readonly HttpSend _send;
    private readonly HttpRequestMessage _request;
    private readonly RequestProfile _profile;
    private readonly byte[] _body;

    /// <param name="pool">The pool.</param>
    /// <param name="send">Sends one attempt. It must also work after the call has returned.</param>
    /// <param name="request">The caller's request.</param>
    /// <param name="profile">The profile of the request.</param>
    /// <param name="format">The format of the request's path. Null if it is not known.</param>
    /// <param name="body">The request's body. Empty if it was not kept.</param>
    /// <param name="source">The events of the answer.</param>
    public HttpContinuation(EndpointPool pool, HttpSend send, HttpRequestMessage request, RequestProfile profile, ContinuationFormat? format, byte[] body, SseEvents source)
    {
        (_pool, _send, _request, _profile, _body) = (pool, send, request, profile, body);
        (Format, Source) = (format ?? ChatContinuation.Instance, source);
        Delivered = new DeliveredText(pool.Options.Http.MaxReplayBytes);
        if (format is null || body.Length == 0)
            Delivered.PreventContinuation(NotContinuedReason.OtherRequest);
    }

    public ContinuationFormat Format { get; }

    public DeliveredText Delivered { get; }

    /// <summary>Gets the events of the answer that was cut.</summary>
    public SseEvents Source { get; }

    /// <summary>Gets whether the tokens before the last cut are all that the request allows.</summary>
    public bool HasAllTokens => Format.HasAllTokens(_body, Delivered.TokensAtSeams[^1]);

    /// <summary>Records the data of an event that goes to the caller.</summary>
    public void RecordDelivered(ReadOnlySpan<byte> data)
    {
        if (Source.Framing == BodyFraming.Events)
            Format.RecordDelivered(data, Delivered);
        else
            Delivered.PreventContinuation(NotContinuedReason.OtherContent);
    }

    /// <summary>Requests the rest from another endpoint.</summary>
    /// <exception cref="NotContinuedException">The rest may not be requested, or every attempt failed.</exception>
    public async ValueTask<IAsyncEnumerable<ReadOnlyMemory<byte>>?> ContinueAsync(PartialResponseException cut, CancellationToken token)
    {
        if (Delivered.Obstacle is null && Format.FindObstacle(_body) is { } obstacle)
            Delivered.PreventContinuation(obstacle);
        if (Delivered.Obstacle is null && AnswerSeam.FindObstacle(Delivered.Text) is { } within)
            Delivered.PreventContinuation(within);
        var route = ContinuationRoute.Begin(_pool.Engine, _profile, cut, Delivered.Obstacle);
        if (Delivered.HasReason)
            return OnlyEndAsync();
        Delivered.TokensAtSeams.Add(Delivered.Tokens);
        var text = Delivered.Text;
        while (true)
        {
            var rest = new HttpRest(this, route, text);
            try
            {
                var response = await HttpCall.RunRestAsync(_pool, _send, NewRequest(), rest, route.Next(), token).ConfigureAwait(false);
                if (response is { IsSuccessStatusCode: true, Content: AnswerContent { Body: AnswerStream { Answer: var answer } } })
                {
                    answer.AfterCharacters = text.Length;
                    return answer;
                }
                response.Dispose();
                route.RecordRefusal();
            }
            catch (EndpointPoolException exception)
            {
                route.RecordFailure(exception);
            }
            catch (Exception exception) when (exception is not (NotContinuedException or OperationCanceledException))
            {
                route.RecordRefusal();
            }
        }
    }

    // Each attempt writes its own body; this body identifies the request.
    private HttpRequestMessage NewRequest()
    {
        var request = new HttpRequestMessage(_request.Method, _request.RequestUri) { Version = _request.Version, VersionPolicy = _request.VersionPolicy, Content = new ByteArrayContent(_body) };
        foreach (var (name, values) in _request.Headers.NonValidated)
        {
            if (!name.Equals("Idempotency-Key", StringComparison.OrdinalIgnoreCase))
                request.Headers.AddAsIs(name, values);
        }
        if (_request.Content is { } content)
        {
            foreach (var (name, values) in content.Headers.NonValidated)
            {
                if (!name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase))
                    request.Content.Headers.AddAsIs(name, values);
            }
        }
        foreach (var option in (IDictionary<string, object?>)_request.Options)
            ((IDictionary<string, object?>)request.Options)[option.Key] = option.Value;
        return request;
    }

    private async IAsyncEnumerable<ReadOnlyMemory<byte>> OnlyEndAsync()
    {
        await Task.CompletedTask.ConfigureAwait(false);
        // The last event may have arrived without the blank line that ends an event.
        yield return Source.TookTail ? (byte[])[.. "\n\n"u8, .. Format.EndMark] : Format.EndMark;
    }
}

/// <summary>Represents one call for the rest of an answer, over all its attempts.</summary>
/// <param name="whole">The continuation of the answer.</param>
/// <param name="route">Records which endpoints get the request.</param>
/// <param name="text">The delivered text.</param>
internal sealed class HttpRest(HttpContinuation whole, ContinuationRoute route, string text)
{
    /// <summary>Creates the body of one attempt.</summary>
    /// <param name="endpoint">The endpoint.</param>
    /// <param name="model">The endpoint's model. Null: the caller's model stays.</param>
    /// <param name="request">The request for the rest, with the caller's body.</param>
    /// <param name="body">The caller's body.</param>
    public HttpContent NewContent(PoolEndpoint endpoint, ModelName? model, HttpRequestMessage request, ReadOnlySpan<byte> body)
    {
        route.RecordAsked(endpoint);
        var written = whole.Format.WriteRequest(body, new RestRequest
        {
            How = endpoint.Continuation,
            Instruction = endpoint.ContinuationInstruction,
            Dialect = endpoint.Dialect,
            Host = endpoint.Address?.Host,
            Model = model?.Json,
            Beginning = new AnswerSeam(text).Beginning,
            Tokens = whole.Delivered.TokensAtSeams[^1],
        });
        var content = new ByteArrayContent(written);
        foreach (var (name, values) in request.Content!.Headers.NonValidated)
        {
            if (!name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase))
                content.Headers.AddAsIs(name, values);
        }
        return content;
    }

    /// <summary>Joins the events of one attempt to the events that the caller already has.</summary>
    public RestEvents Join(SseEvents events, SseReader reader, PoolEndpoint endpoint)
    {
        events.DropsTornTail = true;
        var seam = endpoint.CreateSeam(text);
        seam.HasAllTokens = whole.HasAllTokens;
        reader.Rest = new RestState(whole.Delivered, seam);
        return new RestEvents(events, whole.Format, reader.Rest, endpoint.Name, whole.Source.TookTail);
    }
}
