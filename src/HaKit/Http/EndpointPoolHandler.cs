using HaKit.Connections;
using HaKit.Http;

namespace HaKit;

/// <summary>
/// Puts a pool under any <see cref="HttpClient"/>. The handler sends each request to one endpoint after another, until an endpoint answers. The pool, and not
/// the handler, keeps what was learned about the endpoints. So handlers may be created and dropped, for example by <c>IHttpClientFactory</c>. Thread-safe.
/// </summary>
/// <remarks>
/// The pool reads a JSON answer completely before it returns the answer. It reads an event stream up to the first content. Other answers are passed on as they
/// arrive. So the caller gets a complete answer, or a stream that ends with <see cref="PartialResponseException"/> where it was cut. A refusal of the request
/// itself (400) is returned unchanged.
/// </remarks>
public sealed class EndpointPoolHandler : DelegatingHandler
{
    /// <summary>The key in <see cref="HttpRequestMessage.Options"/> under which the caller may put the profile of the request.</summary>
    public static readonly HttpRequestOptionsKey<RequestProfile> ProfileKey = new("HaKit.Profile");

    /// <summary>The key in the request's options under which the handler puts the details of the call after the call was answered.</summary>
    public static readonly HttpRequestOptionsKey<CallDetail> DetailKey = new("HaKit.Detail");

    private readonly EndpointPool _pool;
    private readonly WarmConnections _warm;
    private readonly HttpSend _send;
    private volatile bool _followsNoRedirects;

    /// <summary>Creates a handler; set its inner handler before use.</summary>
    /// <param name="pool">The pool to choose from.</param>
    public EndpointPoolHandler(EndpointPool pool)
    {
        ArgumentNullException.ThrowIfNull(pool);
        _pool = pool;
        _warm = new WarmConnections(pool, this);
        _send = (message, _, token) => SendInsideAsync(message, token);
        HttpPoolState.Get(pool).WarnOfMistakes();
    }

    /// <summary>Gets the pool.</summary>
    public EndpointPool Pool => _pool;

    /// <inheritdoc/>
    /// <exception cref="NoEndpointAvailableException">No endpoint could take the request in time.</exception>
    /// <exception cref="DeadlineExceededException">The deadline passed.</exception>
    /// <exception cref="EndpointFaultException">The request itself was refused, inside an answer with status 200.</exception>
    /// <exception cref="RequestNotRepeatableException">The attempt failed, and the body cannot be sent again.</exception>
    /// <exception cref="StateNotPortableException">The request names an object that a provider stores, and cannot be sent to an endpoint that has the object.</exception>
    /// <exception cref="OperationCanceledException">The caller cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The pool has been disposed.</exception>
    /// <exception cref="InvalidOperationException">
    /// The handler has no <see cref="DelegatingHandler.InnerHandler"/>. Or the inner handler follows redirects, and this cannot be switched off because the
    /// inner handler was used before. Or the request has no absolute address, or an address that does not begin with the pool's origin. Or no endpoint of the
    /// pool has an address. Or a header that begins with <c>x-ha-</c> has an unknown name or an invalid value.
    /// </exception>
    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (InnerHandler is null)
            throw new InvalidOperationException($"Pool '{_pool.Name}': the EndpointPoolHandler has no InnerHandler, which sends the requests. Set InnerHandler, for example to a SocketsHttpHandler, or use CreateHttpClient of the pool.");
        // If redirects cannot be switched off, this method throws an InvalidOperationException. This happens before the first attempt, because the pool would
        // treat an exception inside an attempt as a fault of the endpoint.
        SwitchRedirectsOff();
        _warm.TouchIfDue();
        return HttpCall.RunAsync(_pool, _send, request, cancellationToken);
    }

    /// <summary>
    /// Makes sure that the inner handlers follow no redirects. This happens at the first request, because until then the inner handlers may still be configured.
    /// </summary>
    /// <exception cref="InvalidOperationException">The inner handler follows redirects and was used before, so this setting cannot be changed.</exception>
    internal void SwitchRedirectsOff()
    {
        if (_followsNoRedirects)
            return;
        PoolConnections.SwitchRedirectsOff(InnerHandler, _pool.Name);
        _followsNoRedirects = true;
    }

    /// <summary>Sends one attempt, a probe, or a request that keeps a connection open, to the inner handlers.</summary>
    internal Task<HttpResponseMessage> SendInsideAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        SwitchRedirectsOff(); // a probe may come before the first call
        return base.SendAsync(request, cancellationToken);
    }

    /// <inheritdoc/>
    /// <remarks>This method blocks the thread. The synchronous calls of an SDK use it.</remarks>
    protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken) =>
        SynchronousSend.Run(SendAsync, request, cancellationToken);
}
