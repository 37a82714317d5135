using HaKit.Connections;
using HaKit.Http;

namespace HaKit;

/// <summary>
/// Puts a pool under any <see cref="HttpClient"/>: sends each request to one endpoint after another until one answers. It keeps no state of its own,
/// so handlers may come and go while the pool remembers. Thread-safe.
/// </summary>
/// <remarks>
/// A JSON answer is read within the attempt, an event stream up to its first content; other answers are passed on as they come. What the caller gets is
/// an answer, whole or, of a stream, with <see cref="PartialResponseException"/> at the place of a cut; a refusal of the request itself (400) comes back as it is.
/// </remarks>
public sealed class EndpointPoolHandler : DelegatingHandler
{
    /// <summary>Sets what is known of one request.</summary>
    public static readonly HttpRequestOptionsKey<RequestProfile> ProfileKey = new("HaKit.Profile");

    /// <summary>Where the request's options tell, once it was answered, how the answer came about.</summary>
    public static readonly HttpRequestOptionsKey<CallDetail> DetailKey = new("HaKit.Detail");

    private readonly EndpointPool _pool;
    private readonly WarmConnections _warm;
    private readonly HttpSend _send;
    private bool _isChecked;

    /// <summary>A handler that needs an inner handler set before use.</summary>
    /// <param name="pool">The pool to choose from.</param>
    public EndpointPoolHandler(EndpointPool pool)
    {
        ArgumentNullException.ThrowIfNull(pool);
        _pool = pool;
        _warm = new WarmConnections(pool, this);
        _send = (message, _, token) => SendInsideAsync(message, token);
        HttpSide.GetSide(pool).WarnOfMistakes();
    }

    /// <summary>The pool that it chooses from.</summary>
    public EndpointPool Pool => _pool;

    /// <inheritdoc/>
    /// <exception cref="NoEndpointAvailableException">No endpoint could take the request in time.</exception>
    /// <exception cref="DeadlineExceededException">The deadline passed.</exception>
    /// <exception cref="EndpointFaultException">The request itself was refused, within an answer that looked well.</exception>
    /// <exception cref="RequestNotRepeatableException">It failed, and its body cannot be sent again.</exception>
    /// <exception cref="InvalidOperationException">The request is not under the pool's origin, or the connections follow redirects and cannot be told not to.</exception>
    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        _warm.TouchIfDue();
        return HttpCall.RunAsync(_pool, _send, request, cancellationToken);
    }

    /// <summary>Sends one attempt on to the handlers inside.</summary>
    internal Task<HttpResponseMessage> SendInsideAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        // With the first request, because until then the handlers inside may be configured in any order.
        if (!_isChecked)
            PoolConnections.SwitchRedirectsOff(InnerHandler, _pool.Name);
        _isChecked = true;
        return base.SendAsync(request, cancellationToken);
    }

    /// <inheritdoc/>
    /// <remarks>Blocks the thread. Synchronous calls of an SDK come here.</remarks>
    protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken) =>
        SynchronousSend.Run(SendAsync, request, cancellationToken);
}
