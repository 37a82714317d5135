using System.Net;
using System.Runtime.CompilerServices;
using HaKit.Attempts;
using HaKit.Dialects;
using HaKit.Estimates;
using HaKit.Failover;
using HaKit.Faults;

namespace HaKit.Http;

/// <summary>One request on its way through a pool, over all its attempts.</summary>
/// <param name="pool">The pool.</param>
/// <param name="send">Sends one attempt on to what is inside: the next handler, or the rest of a resilience pipeline.</param>
/// <param name="request">The caller's request.</param>
internal sealed class HttpCall(EndpointPool pool, HttpSend send, HttpRequestMessage request) : IDisposable
{
    private const int MostRedirects = 3; // of a whole call: with the requests that they follow, a loop on two endpoints costs five

    private HttpRoute _route = null!;
    private RequestBody? _body;
    private string? _sentTo;
    private Exception? _lastFailure;
    private int _redirects;
    private List<string>? _redirecting;
    private bool? _namesStoredObject;
    private EarlierTries? _tries;

    private readonly HttpSide _side = HttpSide.GetSide(pool);

    public RequestProfile Profile { get; private set; } = RequestProfile.Default;

    public bool AsksForStream { get; private set; }

    /// <summary>What it asks the rest for; null for a call of the application's.</summary>
    public HttpRest? Rest { get; private init; }

    /// <summary>May the rest of its answer be asked for later? Not where the handlers inside belong to a pipeline that is over by then.</summary>
    public bool MayContinue { get; private init; }

    // What the request's options say holds as it is; headers refine what surrounds the call.
    private static RequestProfile ProfileOf(EndpointPool pool, HttpRequestMessage request) =>
        ProfileHeaders.Read(request.Headers, request.Options.TryGetValue(EndpointPoolHandler.ProfileKey, out var given) ? given : AmbientProfile.GetCurrent(pool) ?? RequestProfile.Default);

    /// <summary>Sends the request to one endpoint after another until one answers.</summary>
    public static async Task<HttpResponseMessage> RunAsync(
        EndpointPool pool, HttpSend send, HttpRequestMessage request, CancellationToken cancellationToken, bool mayContinue = true)
    {
        using var call = new HttpCall(pool, send, request) { MayContinue = mayContinue, _tries = RequestTries.GetTries(request) };
        call._side.LookForRetries(request);
        call.Profile = call._side.Reachable(ProfileOf(pool, request));
        await call.ReadBodyAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            call.AvoidWhatRefuses();
            var (response, detail) = call.PlaceState() is { } state
                ? await call.RunWhereStateIsAsync(state, cancellationToken).ConfigureAwait(false)
                : await call.ExecuteAsync(call.Profile, cancellationToken).ConfigureAwait(false);
            if (response.IsSuccessStatusCode)
            {
                call.NoteRefusals(detail);
            }
            request.Options.Set(EndpointPoolHandler.DetailKey, detail);
            call._tries?.Clear();
            return Finish(response, request, detail);
        }
        catch
        {
            call._side.Failed(request);
            RequestTries.RememberTries(request, call._tries);
            throw;
        }
    }

    private ValueTask<Served<HttpResponseMessage>> ExecuteAsync(RequestProfile profile, CancellationToken token) =>
        pool.ExecuteWithDetailAsync(profile, AsksForStream, this, static (attempt, call, token) => call.AttemptAsync(attempt, token), token, _tries);

    /// <summary>Asks for the rest of a cut answer.</summary>
    public static async Task<HttpResponseMessage> RunRestAsync(
        EndpointPool pool, HttpSend send, HttpRequestMessage request, HttpRest rest, RequestProfile profile, CancellationToken cancellationToken)
    {
        using var call = new HttpCall(pool, send, request) { Rest = rest, Profile = profile };
        await call.ReadBodyAsync(cancellationToken).ConfigureAwait(false);
        var (response, detail) = await call.ExecuteAsync(call.Profile, cancellationToken).ConfigureAwait(false);
        return Finish(response, request, detail);
    }

    /// <summary>What keeps a streamed answer for the case that it is cut; null where it may not be continued.</summary>
    /// <param name="events">The answer.</param>
    public HttpContinuation? NewContinuation(SseEvents events)
    {
        if (!ContinuationRoute.IsAllowed(pool.Engine, Profile))
            return null;
        var format = MayContinue && request.Method == HttpMethod.Post && AsksForStream ? ContinuationFormat.FindByPath(_route.Path) : null;
        var body = format is not null && _body is { IsKept: true } ? _body[..].ToArray() : [];
        var continuation = new HttpContinuation(pool, send, request, Profile, format, body, events);
        if (NamesStoredObject)
            continuation.Delivered.Bar(NotContinuedReason.StoredState);
        return continuation;
    }

    // What is named was made by one endpoint; another would answer that there is no such thing.
    private StatePlacement? PlaceState()
    {
        if (_route.Named is null && !NamesStoredObject)
            return null;
        var names = NamesStoredObject && _body is { IsKept: true } ? StoredNames.InBody(_body[..]) : [];
        if (_route.Named is { } named)
            names.Add(named);
        return StatePlacement.FindPlacement(pool, _side.Ids, Profile, names);
    }

    private async ValueTask<Served<HttpResponseMessage>> RunWhereStateIsAsync(StatePlacement state, CancellationToken token)
    {
        Served<HttpResponseMessage> first;
        try
        {
            first = await ExecuteAsync(state.Profile, token).ConfigureAwait(false);
        }
        catch (EndpointPoolException exception) when (state.Maker is not null)
        {
            throw new StateNotPortableException(pool.Name, state.Names[0].Kind, state.Maker, "and the endpoints that share its store could not be had.", exception);
        }
        if (state.Next is { } next && await SaysNotFoundAsync(first.Result, token).ConfigureAwait(false))
        {
            var second = await ExecuteAsync(next, token).ConfigureAwait(false);
            if (await SaysNotFoundAsync(second.Result, token).ConfigureAwait(false))
            {
                second.Result.Dispose();
                return first;
            }
            first.Result.Dispose();
            first = second;
        }
        if (state.Maker is null && first.Result.IsSuccessStatusCode)
        {
            foreach (var name in state.Names)
                _side.Ids.Remember(name.Id, first.Detail.Endpoint);
        }

        return first;
    }

    // With a code for it: a bare 404 may be a wrong address. The bodies of refusals are kept.
    private static async ValueTask<bool> SaysNotFoundAsync(HttpResponseMessage response, CancellationToken token)
    {
        if (response.StatusCode is not (HttpStatusCode.BadRequest or HttpStatusCode.NotFound) || response.Content is not WholeContent)
            return false;
        var text = await response.Content.ReadAsStringAsync(token).ConfigureAwait(false);
        return text.Contains("not_found", StringComparison.OrdinalIgnoreCase) || text.Contains("No such ", StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>Notes what an answer tells of objects that its endpoint stores.</summary>
    /// <param name="endpoint">The endpoint that answers.</param>
    /// <param name="json">The answer, or one event of it.</param>
    public void RememberState(PoolEndpoint endpoint, ReadOnlySpan<byte> json)
    {
        var ids = _side.Ids;
        foreach (var name in StoredNames.InAnswer(json))
            ids.Remember(name.Id, endpoint.Name);
    }

    private List<string> Kinds()
    {
        var kinds = new List<string>(2);
        if (_route.AnswerOn(WireDialect.Unknown) is { } path && RequestContents.OfPath(path) is { } other)
        {
            kinds.Add(other);
        }
        if (_body is { IsKept: true })
        {
            if (RequestContents.HasMedia(_body[..]))
            {
                kinds.Add(RequestContents.Media);
            }
            if (RequestContents.HasTools(_body[..]))
            {
                kinds.Add(RequestContents.Tools);
            }
        }
        return kinds;
    }

    private void AvoidWhatRefuses()
    {
        var refused = _side.RefusedKinds;
        if (refused.RemembersAny() && Kinds() is { Count: > 0 } kinds)
        {
            Profile = refused.Avoid(Profile, pool.Engine.Snapshot.Members, kinds);
        }
    }

    private void NoteRefusals(CallDetail detail)
    {
        var refused = _side.RefusedKinds;
        if (detail.AttemptCount > 1)
        {
            foreach (var attempt in detail.Attempts)
            {
                if (attempt.Fault?.OfRequestsWith is { } kind)
                {
                    refused.AddRefusal(attempt.Endpoint, kind, pool.Options.CircuitBreaker);
                }
            }
        }
        if (refused.RemembersAny())
        {
            foreach (var kind in Kinds())
            {
                refused.AddSuccess(detail.Endpoint, kind);
            }
        }
    }

    /// <summary>
    /// What is particular about this request, where that may be why an endpoint refused it; null where the refusal speaks of the endpoint. A page or an empty
    /// body says something of what is in a request only where the endpoint serves others.
    /// </summary>
    /// <param name="attempt">The attempt.</param>
    /// <param name="fault">The refusal.</param>
    /// <param name="isJson">Is the refusal a JSON object?</param>
    public string? WhatIsRefused(EndpointAttempt attempt, Fault fault, bool isJson)
    {
        // An endpoint that has not answered anything yet is not known to serve other kinds.
        var hasAnswered = attempt.Lease.State.AnsweredAt is not null;
        if (_route.AnswerOn(attempt.Endpoint.Dialect) is { } path && RequestContents.OfPath(path) is { } other)
        {
            return hasAnswered ? other : null;
        }
        if (!isJson && !hasAnswered || _body is not { IsKept: true })
        {
            return null;
        }
        if (RequestContents.HasMedia(_body[..]))
        {
            return RequestContents.Media;
        }
        return fault.SecondOpinion == SecondOpinion.One && RequestContents.HasTools(_body[..]) ? RequestContents.Tools : null;
    }

    /// <summary>May an answer tell of new stored objects?</summary>
    public bool MakesState => _route.MakesState && request.Method == HttpMethod.Post;

    /// <summary>The path behind the pool's origin.</summary>
    public string Path => _route.Path;

    /// <summary>What a 200 must hold to be an answer; null where nothing is known of that.</summary>
    /// <param name="dialect">What the endpoint declares.</param>
    public AnswerShape? ShapeOn(WireDialect dialect) => request.Method == HttpMethod.Post ? _route.AnswerOn(dialect)?.Shape : null;

    /// <summary>What the request asks for. Worked out only when there is something to refuse.</summary>
    /// <param name="dialect">What the endpoint declares.</param>
    public RequestKind KindOn(WireDialect dialect) => ShapeOn(dialect) is not null && !NamesStoredObject ? RequestKind.CreatesAnswer : RequestKind.Other;

    // Of a body that was not kept, nothing is known of what it names.
    private bool NamesStoredObject => _namesStoredObject ??= _body is not null && (!_body.IsKept || _body.IsJson && _body.Outline.MightNameStoredObject && StoredObjects.AreNamedIn(_body[..]));

    public ValueTask ReadBodyAsync(CancellationToken cancellationToken)
    {
        if (request.RequestUri is not { IsAbsoluteUri: true } requested)
            throw new InvalidOperationException("The request has no absolute address.");
        _route = _side.RouteOf(requested);
        if (request.Content is not { } content)
        {
            UseBody(null);
            return default;
        }
        var body = RequestBody.OfAsync(content, pool.Options.Http.MaxReplayBytes, cancellationToken);
        if (!body.IsCompletedSuccessfully)
            return AwaitBodyAsync(body, content);
        UseBody(body.Result);
        return default;
    }

    private async ValueTask AwaitBodyAsync(ValueTask<RequestBody> body, HttpContent content)
    {
        try
        {
            UseBody(await body.ConfigureAwait(false));
        }
        catch (InvalidOperationException exception) when (content is StreamContent or MultipartContent)
        {
            throw new RequestNotRepeatableException(pool.Name, "request's body", exception); // a handler outside has sent it before
        }
    }

    private void UseBody(RequestBody? body)
    {
        _body = body;
        if (body is { IsKept: false } && Profile.MayHedge != false)
            Profile = Profile with { MayHedge = false };
        if (Profile.Tokens == 0 && body is { IsKept: true, IsJson: true } && _side.LeastTokenLimit is { } least)
        {
            // Limited, because a guess above a limit would never fit.
            Profile = Profile with { GuessedTokens = Math.Min(least, PromptSize.EstimateTokens(body[..], pool.Options.Http.CountTokens)) };
        }
        AsksForStream = body?.Outline.Stream == true || _route.Streams || AcceptsEventsOnly();
    }

    /// <summary>Sends the request to one endpoint and looks at what comes back.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<HttpResponseMessage> AttemptAsync(EndpointAttempt attempt, CancellationToken token)
    {
        if (_body?.IsSpent == true)
            throw NotRepeatable(attempt);
        if (attempt.Lease.Span is not null && Operations.OperationOf(_route.Path) is { } operation)
        {
            attempt.ReportOperation(operation);
        }
        var target = _side.TargetOf(attempt.Endpoint);
        var secret = await pool.Owners.Credentials.GetAsync(attempt.Endpoint, token).ConfigureAwait(false);
        attempt.Lease.State.UsedCredential = secret;
        var noted = _tries?.Began(pool.Engine, attempt.Lease);
        HttpResponseMessage? response = null;
        try
        {
            if (_redirecting?.Contains(attempt.Endpoint.Name) == true)
                throw HttpAnswer.Misdirected(attempt); // time does not change where a server points, so it is not asked again
            var model = target.WantsModel && _body is { IsKept: true, Outline.Model: { } place } ? ModelIn(_body[place]) : null;
            var withCredential = target.TakesCallersCredential(secret, pool.Options.Http.ForwardCallerCredential);
            var address = _route.On(target, model, withCredential);
            response = await send(NewMessage(attempt, target, address, secret, withCredential), attempt, token).ConfigureAwait(false);
            if (IsFromElsewhere(response, address) || HttpAnswer.IsRedirect(response))
                response = await FollowAsync(response, attempt, target, address, secret, withCredential, token).ConfigureAwait(false);
            var judged = await new HttpAnswer(pool, attempt, this, request, response).JudgeAsync(token).ConfigureAwait(false);
            if (attempt.Lease.Declared is { } fault)
                NoteFailure(attempt, noted, fault);
            return judged;
        }
        catch (Exception exception)
        {
            response?.Dispose();
            NoteFailure(attempt, noted, FaultOf(attempt, exception));
            if (_body?.WasRefused == true)
                throw NotRepeatable(attempt);
            _lastFailure = exception;
            throw;
        }
        finally
        {
            _sentTo = attempt.Endpoint.Name;
        }
    }

    // A request that comes again from above begins with what this try has found.
    private void NoteFailure(EndpointAttempt attempt, EarlierAttempt? noted, Fault fault)
    {
        var tries = _tries ?? Interlocked.CompareExchange(ref _tries, new EarlierTries(), null) ?? _tries;
        if ((noted ?? tries.Began(pool.Engine, attempt.Lease)) is { } failed)
        {
            tries.Ended(failed, fault, pool.Engine.Clock.Now);
        }
    }

    private Fault FaultOf(EndpointAttempt attempt, Exception exception) => attempt.Lease.Declared
        ?? (exception is OperationCanceledException ? attempt.Lease.CancelledFor ?? KnownFaults.CallerCancelled : pool.Engine.Classify(exception, attempt.Endpoint));

    /// <summary>Prepares the answer for the caller: its request is the caller's, not the one that went out with an endpoint's credentials.</summary>
    private static HttpResponseMessage Finish(HttpResponseMessage response, HttpRequestMessage request, CallDetail detail)
    {
        response.RequestMessage = request;
        if (response.Content is AnswerContent { Body: AnswerStream streamed })
            streamed.Detail = detail;
        return response;
    }

    public void Dispose() => _body?.Dispose();

    // A redirect within the same server is followed; the answer that asks for another is left to the classifier, which refuses it.
    private async ValueTask<HttpResponseMessage> FollowAsync(
        HttpResponseMessage response, EndpointAttempt attempt, HttpTarget target, Uri address, string? secret, bool withCredential, CancellationToken token)
    {
        var visited = new List<Uri>();
        while (true)
        {
            if (IsFromElsewhere(response, address))
            {
                response.Dispose();
                (_redirecting ??= []).Add(attempt.Endpoint.Name);
                throw HttpAnswer.Misdirected(attempt); // a handler inside followed a redirect to another server: what came is not the endpoint's answer
            }
            if (!HttpAnswer.IsRedirect(response))
                return response;
            visited.Add(address);
            if (NextOf(response, address) is not { } next || visited.Contains(next) || _redirects++ >= MostRedirects)
            {
                (_redirecting ??= []).Add(attempt.Endpoint.Name);
                return response;
            }
            response.Dispose();
            address = next;
            response = await send(NewMessage(attempt, target, address, secret, withCredential), attempt, token).ConfigureAwait(false);
        }
    }

    private static bool IsFromElsewhere(HttpResponseMessage response, Uri address) =>
        response.RequestMessage?.RequestUri is { } served && !ReferenceEquals(served, address) && !HttpTarget.IsSameServer(served, address);

    // Only 307 and 308 keep method and body.
    private static Uri? NextOf(HttpResponseMessage response, Uri address) =>
        response.StatusCode is HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect && response.Headers.Location is { } location
        && Uri.TryCreate(address, location, out var next) && HttpTarget.IsSameServer(next, address) ? next : null;

    // Each request that goes out is made here: an attempt's, and those that follow its redirects.
    private HttpRequestMessage NewMessage(EndpointAttempt attempt, HttpTarget target, Uri address, string? secret, bool withCredential)
    {
        var message = new HttpRequestMessage(request.Method, address) { Version = request.Version, VersionPolicy = request.VersionPolicy };
        target.CopyHeaders(request, message, secret, withCredential);
        if (request.Options is IDictionary<string, object?> { Count: > 0 } options)
        {
            foreach (var option in options)
                ((IDictionary<string, object?>)message.Options)[option.Key] = option.Value;
        }
        // The context of a resilience handler outside belongs to the whole call: one inside would take the call's token for the attempt's.
        if (request.GetResilienceContext() is not null)
            message.SetResilienceContext(null);
        message.Content = Rest?.NewContent(attempt.Endpoint, target.Model, request, _body![..]) ?? _body?.NewContent(target.Model, CacheKeyFor(target));
        return message;
    }

    private byte[]? CacheKeyFor(HttpTarget target) =>
        Profile.AffinityKey is { } key && _body is { IsKept: true, IsJson: true } && pool.Options.Http.SendPromptCacheKey && target.TakesPromptCacheKey(_route.Path)
            ? PromptCacheKey.For(_body[..], key)
            : null;

    // Some SDKs accept both with every request, and say in the body which of the two they want.
    private bool AcceptsEventsOnly() => request.Headers.NonValidated.TryGetValues("Accept", out var accept) && accept.ToString() is var text
        && text.Contains("text/event-stream", StringComparison.OrdinalIgnoreCase)
        && !text.Contains("application/json", StringComparison.OrdinalIgnoreCase) && !text.Contains("*/*", StringComparison.Ordinal);

    private RequestNotRepeatableException NotRepeatable(EndpointAttempt attempt)
    {
        attempt.ReportFault(new Fault(FaultKind.InvalidRequest) { Applied = FaultApplied.NotSent });
        return _sentTo is null ? new RequestNotRepeatableException(pool.Name, _body!.Describe(), _lastFailure)
            : new RequestNotRepeatableException(pool.Name, _sentTo, _body!.Describe(), _lastFailure);
    }

    private static string? ModelIn(ReadOnlySpan<byte> json)
    {
        var reader = new System.Text.Json.Utf8JsonReader(json);
        try
        {
            return reader.Read() ? reader.GetString() : null;
        }
        catch (System.Text.Json.JsonException)
        {
            return null;
        }
        catch (InvalidOperationException)
        {
            return null; // not UTF-8
        }
    }
}

/// <summary>Sends one attempt's message.</summary>
internal delegate Task<HttpResponseMessage> HttpSend(HttpRequestMessage message, EndpointAttempt attempt, CancellationToken token);
