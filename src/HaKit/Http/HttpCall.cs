using System.Net;
using System.Runtime.CompilerServices;
using HaKit.Attempts;
using HaKit.Dialects;
using HaKit.Estimates;
using HaKit.Failover;
using HaKit.Faults;

namespace HaKit.Http;

/// <summary>Handles one request of the application over all its attempts.</summary>
/// <param name="pool">The pool.</param>
/// <param name="send">Sends one attempt to the next handler, or to the rest of a resilience pipeline.</param>
/// <param name="request">The caller's request.</param>
internal sealed class HttpCall(EndpointPool pool, HttpSend send, HttpRequestMessage request) : ICallerCredentials, IDisposable
{
    private HttpRoute _route = null!;
    private RequestBody? _body;
    private string? _sentTo;
    private Exception? _lastFailure;
    private HttpRedirects? _redirects;
    private IReadOnlyList<StoredName>? _namedInBody;
    private EarlierTries? _tries;

    private readonly HttpPoolState _poolState = HttpPoolState.Get(pool);

    public RequestProfile Profile { get; private set; } = RequestProfile.Default;

    public bool AsksForStream { get; private set; }

    /// <summary>Gets the rest of a cut answer, if this call requests such a rest. Null for a request of the application.</summary>
    public HttpRest? Rest { get; private init; }

    /// <summary>
    /// Gets whether the rest of a cut answer may be requested after this call. False if the attempts are sent through a resilience pipeline that has ended by
    /// then.
    /// </summary>
    public bool MayContinue { get; private init; }

    // The base is the profile in the request's options, otherwise the ambient profile. The x-ha-* headers override properties of this profile.
    private static RequestProfile ProfileOf(EndpointPool pool, HttpRequestMessage request) =>
        ProfileHeaders.Read(request.Headers, request.Options.TryGetValue(EndpointPoolHandler.ProfileKey, out var given) ? given : AmbientProfile.GetCurrent(pool) ?? RequestProfile.Default);

    /// <summary>Sends the request to one endpoint after another until one answers.</summary>
    public static async Task<HttpResponseMessage> RunAsync(
        EndpointPool pool, HttpSend send, HttpRequestMessage request, CancellationToken cancellationToken, bool mayContinue = true)
    {
        using var call = new HttpCall(pool, send, request) { MayContinue = mayContinue, _tries = RequestTries.GetTries(request) };
        call._poolState.WarnOfRetries(request);
        call.Profile = call._poolState.LimitToAddressed(ProfileOf(pool, request));
        await call.ReadBodyAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (call._poolState.RefusedCredentials.RemembersAny)
                await call.ReadmitEndpointsAsync(cancellationToken).ConfigureAwait(false);
            var (response, detail) = call.FindStatePlacement() is { } state
                ? await state.RunAsync(pool, call, cancellationToken).ConfigureAwait(false)
                : await call.ExecuteAsync(call.Profile, cancellationToken).ConfigureAwait(false);
            if (response.IsSuccessStatusCode)
                call.RecordKinds(detail);
            request.Options.Set(EndpointPoolHandler.DetailKey, detail);
            call._tries?.Clear();
            return Finish(response, request, detail);
        }
        catch
        {
            call._poolState.RecordFailed(request);
            RequestTries.RememberTries(request, call._tries);
            throw;
        }
    }

    private async ValueTask ReadmitEndpointsAsync(CancellationToken cancellationToken)
    {
        var readmission = _poolState.RefusedCredentials.ReadmitEndpointsAsync(request, Profile, cancellationToken);
        if (readmission.IsCompletedSuccessfully)
            return;
        Profile = Profile with { BeganAt = Profile.BeganAt ?? pool.Engine.Clock.Now };
        await readmission.ConfigureAwait(false);
    }

    /// <summary>Sends the request to the endpoints that a profile allows, until one answers.</summary>
    public ValueTask<Served<HttpResponseMessage>> ExecuteAsync(RequestProfile profile, CancellationToken token)
    {
        // The profile may limit the call to the endpoints that have a stored object. So the endpoints to avoid are chosen here, among the endpoints of this
        // profile.
        if (_poolState.RefusedKinds.RemembersAny())
            profile = _poolState.RefusedKinds.Avoid(profile, pool.Engine.Snapshot.Members, Kinds.Names());
        return pool.ExecuteWithDetailAsync(profile, AsksForStream, this, static (attempt, call, token) => call.AttemptAsync(attempt, token), token, _tries);
    }

    /// <summary>Requests the rest of a cut answer.</summary>
    public static async Task<HttpResponseMessage> RunRestAsync(
        EndpointPool pool, HttpSend send, HttpRequestMessage request, HttpRest rest, RequestProfile profile, CancellationToken cancellationToken)
    {
        using var call = new HttpCall(pool, send, request) { Rest = rest, Profile = profile };
        await call.ReadBodyAsync(cancellationToken).ConfigureAwait(false);
        var (response, detail) = await call.ExecuteAsync(call.Profile, cancellationToken).ConfigureAwait(false);
        return Finish(response, request, detail);
    }

    /// <summary>Creates the object that keeps a streamed answer in case it is cut. Null if the answer may not be continued.</summary>
    /// <param name="events">The events of the answer.</param>
    public HttpContinuation? NewContinuation(SseEvents events)
    {
        if (!ContinuationRoute.IsAllowed(pool.Engine, Profile))
            return null;
        var format = MayContinue && request.Method == HttpMethod.Post && AsksForStream ? ContinuationFormat.FindByPath(_route.Path) : null;
        var body = format is not null && _body is { IsKept: true } ? _body[..].ToArray() : [];
        var continuation = new HttpContinuation(pool, send, request, Profile, format, body, events);
        if (NamesStoredObject)
            continuation.Delivered.PreventContinuation(NotContinuedReason.StoredState);
        return continuation;
    }

    // Only the endpoint that created the named object has it. Other endpoints would answer that the object does not exist.
    private StatePlacement? FindStatePlacement()
    {
        if (_route.Named is null && !NamesStoredObject)
            return null;
        List<StoredName> names = [.. NamedInBody];
        if (_route.Named is { } named)
            names.Add(named);
        return StatePlacement.FindPlacement(pool, _poolState.Ids, Profile, names);
    }

    /// <summary>Records the stored objects that an answer reports.</summary>
    /// <param name="endpoint">The endpoint that answers.</param>
    /// <param name="json">The answer, or one event of it.</param>
    public void RememberState(PoolEndpoint endpoint, ReadOnlySpan<byte> json)
    {
        var ids = _poolState.Ids;
        foreach (var name in StoredNames.InAnswer(json))
            ids.Remember(name.Id, endpoint);
    }

    /// <summary>Gets the features of the request that some endpoints refuse: media, tools, embeddings.</summary>
    public RequestKinds Kinds => new(_route, _body);

    private void RecordKinds(CallDetail detail)
    {
        var refused = _poolState.RefusedKinds;
        refused.AddRefusals(detail, pool.Options.CircuitBreaker);
        if (refused.RemembersAny())
            refused.AddSuccess(detail.Endpoint, Kinds.Names());
    }

    /// <summary>Gets whether the answer may report stored objects: new objects of a POST, or further objects that one object names.</summary>
    public bool MakesState => _route.MakesState && request.Method == HttpMethod.Post || request.Method == HttpMethod.Get && _route.IsOneObject;

    /// <summary>Gets how many choices the request asks for. 1 if the body is not known.</summary>
    public int Choices => Math.Max(1, (int)(_body?.Outline.Choices ?? 1));

    /// <summary>Gets the path after the pool's origin.</summary>
    public string Path => _route.Path;

    /// <summary>Gets the shape that a 200 must have to be an answer. Null if it is not known.</summary>
    /// <param name="dialect">The declared dialect of the endpoint.</param>
    public AnswerShape? ShapeOn(WireDialect dialect) => request.Method == HttpMethod.Post ? _route.AnswerOn(dialect)?.Shape : null;

    // The model answers only a POST, and only if its path names no stored object. For example, a POST to the messages of a thread only stores a message.
    private string? Operation => request.Method == HttpMethod.Post && _route.Named is null ? Operations.OperationOf(_route.Path) : null;

    /// <summary>Gets the kind of the request. The body is searched for the names of stored objects only once.</summary>
    /// <param name="dialect">The declared dialect of the endpoint.</param>
    public RequestKind KindOn(WireDialect dialect) => ShapeOn(dialect) is not null && !NamesStoredObject ? RequestKind.CreatesAnswer : RequestKind.Other;

    // If the body was not kept, the objects that it names are not known, so the request is treated as if it named one.
    private bool NamesStoredObject => _body is { IsKept: false } || NamedInBody.Count > 0;

    private IReadOnlyList<StoredName> NamedInBody =>
        _namedInBody ??= _body is { IsKept: true, IsJson: true, Outline.MightNameStoredObject: true } ? StoredNames.InBody(_body[..]) : Array.Empty<StoredName>();

    public ValueTask ReadBodyAsync(CancellationToken cancellationToken)
    {
        if (request.RequestUri is not { IsAbsoluteUri: true } requested)
            throw new InvalidOperationException("The request has no absolute address.");
        _route = _poolState.RouteOf(requested);
        if (_route.IsForEmbeddings)
            _poolState.WarnOfVectors();
        if (request.Content is not { } content)
        {
            UseBody(null);
            return default;
        }
        var body = RequestBody.CreateAsync(content, pool.Options.Http.MaxReplayBytes, cancellationToken);
        if (!body.IsCompletedSuccessfully)
            return AwaitBodyAsync(body, content, cancellationToken);
        UseBody(body.Result);
        return default;
    }

    private async ValueTask AwaitBodyAsync(ValueTask<RequestBody> body, HttpContent content, CancellationToken cancellationToken)
    {
        var began = pool.Engine.Clock.Now;
        var deadline = Profile.Deadline ?? pool.Deadline;
        try
        {
            // If the deadline passes first, the result is null. The engine then ends the call before its first attempt.
            UseBody(await RequestBody.AwaitUntilAsync(body, deadline < TimeSpan.MaxValue - began ? began + deadline : TimeSpan.MaxValue, pool.Engine.Clock, cancellationToken).ConfigureAwait(false));
            Profile = Profile with { BeganAt = began };
        }
        catch (InvalidOperationException exception) when (content is StreamContent or MultipartContent)
        {
            throw new RequestNotRepeatableException(pool.Name, "request's body", exception); // an outer handler has already sent this body
        }
    }

    private void UseBody(RequestBody? body)
    {
        _body = body;
        if (body is { IsKept: false } && Profile.MayHedge != false)
            Profile = Profile with { MayHedge = false };
        if (Profile.InputTokens == 0 && body is { IsKept: true, IsJson: true } && _poolState.HasTokenLimit)
            Profile = Profile with { GuessedTokens = PromptSize.EstimateTokens(body[..], pool.Options.Http.CountTokens) };
        AsksForStream = body?.Outline.Stream == true || _route.Streams || AcceptsEventsOnly();
    }

    // Created at the first redirect. The attempts of a hedged call may be redirected at the same time.
    private HttpRedirects Redirects => Volatile.Read(ref _redirects) ?? Interlocked.CompareExchange(ref _redirects, new HttpRedirects(), null) ?? _redirects;

    /// <summary>Sends the request to one endpoint and examines the answer.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<HttpResponseMessage> AttemptAsync(EndpointAttempt attempt, CancellationToken token)
    {
        if (_body?.IsSpent == true)
            throw NotRepeatable(attempt);
        if (attempt.Lease.Span is not null && Operation is { } operation)
        {
            attempt.ReportOperation(operation);
        }
        var target = _poolState.TargetOf(attempt.Endpoint);
        var secret = await pool.Owners.Credentials.GetAsync(attempt.Lease, pool.Engine.Guard, token).ConfigureAwait(false);
        token.ThrowIfCancellationRequested(); // a credential source that ignores its token may return after the end of the call: no request must be sent then
        // The facts for other replicas contain a hash of the credential that the endpoint uses. If this credential came from code, it is stored here for these
        // facts. A credential in the options is not stored: the facts read it from the options each time, and a stored copy would be out of date after a reload.
        attempt.Lease.State.UsedCredential = attempt.Lease.UsedCredential = secret == attempt.Endpoint.Credential ? null : secret;
        _body?.AddUser(); // the attempt may still run after the end of its call
        var recorded = _tries?.RecordStart(pool.Engine, attempt.Lease);
        HttpResponseMessage? response = null;
        try
        {
            if (_redirects?.HasMisdirected(attempt.Endpoint.Name) == true)
                throw HttpAnswer.DeclareMisdirected(attempt); // waiting does not change a redirect to another server or in a circle, so this call does not try the endpoint again
            var model = target.WantsModel && _body is { IsKept: true, Outline.Model: { } place } ? ModelName.ReadFrom(_body[place]) : null;
            var outgoing = new HttpOutgoing(attempt, target, secret, target.TakesCallersCredential(secret, pool.Options.Http.ForwardCallerCredential));
            attempt.Lease.CallerCredentials = outgoing.WithCredential ? this : null;
            var address = _route.On(target, model, outgoing.WithCredential);
            response = await SendAsync(outgoing, address, token).ConfigureAwait(false);
            if (HttpRedirects.IsFromElsewhere(response, address) || HttpAnswer.IsRedirect(response))
                response = await Redirects.FollowAsync(this, outgoing, response, address, token).ConfigureAwait(false);
            var answer = await new HttpAnswer(pool, attempt, this, request, response).ExamineAsync(token).ConfigureAwait(false);
            if (attempt.Lease.Declared is { } fault)
            {
                RecordFailure(attempt, recorded, fault);
                _poolState.RefusedCredentials.RecordRefusal(fault, request, attempt.Endpoint, secret);
            }
            return answer;
        }
        catch (Exception exception)
        {
            response?.Dispose();
            var fault = pool.Engine.Guard.FindFault(attempt.Lease, exception);
            RecordFailure(attempt, recorded, fault);
            _poolState.RefusedCredentials.RecordRefusal(fault, request, attempt.Endpoint, secret);
            if (_body?.WasRefused == true)
            {
                _lastFailure ??= exception;
                throw NotRepeatable(attempt);
            }
            _lastFailure = exception;
            throw;
        }
        finally
        {
            _sentTo = attempt.Endpoint.Name;
            _body?.ReleaseUser();
        }
    }

    // Records a failed attempt for later tries of the same request. If an outer handler retries the request, the next try knows which endpoints have failed.
    private void RecordFailure(EndpointAttempt attempt, EarlierAttempt? recorded, Fault fault)
    {
        var tries = _tries ?? Interlocked.CompareExchange(ref _tries, new EarlierTries(), null) ?? _tries;
        if ((recorded ?? tries.RecordStart(pool.Engine, attempt.Lease)) is { } failed)
        {
            tries.RecordEnd(failed, fault, pool.Engine.Clock.Now);
        }
    }

    /// <summary>
    /// Prepares the answer for the caller. The answer's request becomes the caller's own request, because the sent request contains the endpoint's credentials.
    /// </summary>
    private static HttpResponseMessage Finish(HttpResponseMessage response, HttpRequestMessage request, CallDetail detail)
    {
        response.RequestMessage = request;
        if (response.Content is AnswerContent { Body: AnswerStream streamed })
            streamed.Detail = detail;
        return response;
    }

    bool ICallerCredentials.HasPart(PoolEndpoint endpoint, string text) => _poolState.TargetOf(endpoint).Names.HasPart(request, text);

    public void Dispose() => _body?.Dispose();

    /// <summary>Sends one request of an attempt: the first request, or a request that follows a redirect.</summary>
    public Task<HttpResponseMessage> SendAsync(HttpOutgoing outgoing, Uri address, CancellationToken token) => send(NewMessage(outgoing, address), outgoing.Attempt, token);

    private HttpRequestMessage NewMessage(in HttpOutgoing outgoing, Uri address)
    {
        var target = outgoing.Target;
        var message = new HttpRequestMessage(request.Method, address) { Version = request.Version, VersionPolicy = request.VersionPolicy };
        target.CopyHeaders(request, message, outgoing.Secret, outgoing.WithCredential);
        if (request.Options is IDictionary<string, object?> { Count: > 0 } options)
        {
            foreach (var option in options)
                ((IDictionary<string, object?>)message.Options)[option.Key] = option.Value;
        }
        // The context of an outer resilience handler belongs to the whole call. With this context, an inner resilience handler would use the call's token
        // instead of the attempt's token.
        if (request.GetResilienceContext() is not null)
            message.SetResilienceContext(null);
        message.Content = Rest?.NewContent(outgoing.Attempt.Endpoint, target.Model, request, _body![..]) ?? _body?.NewContent(target.Model, CacheKeyFor(target));
        return message;
    }

    private byte[]? CacheKeyFor(HttpTarget target) =>
        Profile.AffinityKey is { } key && _body is { IsKept: true, IsJson: true } && pool.Options.Http.SendPromptCacheKey && target.TakesPromptCacheKey(_route.Path)
            ? PromptCacheKey.For(_body[..], key)
            : null;

    // Some SDKs accept JSON and events with every request, and select the format in the body. So an Accept header requests a stream only if it accepts events
    // and no JSON.
    private bool AcceptsEventsOnly() => request.Headers.NonValidated.TryGetValues("Accept", out var accept) && accept.ToString() is var text
        && text.Contains("text/event-stream", StringComparison.OrdinalIgnoreCase)
        && !text.Contains("application/json", StringComparison.OrdinalIgnoreCase) && !text.Contains("*/*", StringComparison.Ordinal);

    private RequestNotRepeatableException NotRepeatable(EndpointAttempt attempt)
    {
        attempt.ReportFault(new Fault(FaultKind.InvalidRequest) { Applied = FaultApplied.NotSent });
        return _sentTo is null ? new RequestNotRepeatableException(pool.Name, _body!.Describe(), _lastFailure)
            : new RequestNotRepeatableException(pool.Name, _sentTo, _body!.Describe(), _lastFailure);
    }
}
