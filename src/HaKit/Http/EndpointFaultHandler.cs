using HaKit.Attempts;
using HaKit.Connections;
using HaKit.Faults;
using HaKit.Http;

namespace HaKit;

/// <summary>
/// Belongs under an SDK whose client object serves one endpoint of a pool: an endpoint's refusals become <see cref="EndpointFaultException"/>s with all
/// that the wire says, such as Retry-After, which the exceptions of some SDKs lose. Answers that blame the request itself (400) are passed on, so that the
/// caller gets the SDK's own exception for them. Keeps no state of its own; thread-safe.
/// </summary>
public sealed class EndpointFaultHandler : DelegatingHandler
{
    private readonly string _endpoint;
    private readonly WireDialect _dialect;
    private readonly PoolClock _clock;

    /// <summary>A handler that needs an inner handler set before use.</summary>
    /// <param name="endpoint">The endpoint's name, for messages.</param>
    /// <param name="dialect">What it speaks. Default: recognised from the answers.</param>
    /// <param name="time">The clock for dates in headers. Default: the system's.</param>
    public EndpointFaultHandler(string endpoint, WireDialect dialect = WireDialect.Unknown, TimeProvider? time = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(endpoint);
        _endpoint = endpoint;
        _dialect = dialect;
        _clock = new PoolClock(time ?? TimeProvider.System);
    }

    /// <summary>
    /// An <see cref="HttpClient"/> for the SDK of one endpoint: this handler over connections of its own that suit long calls, and no timeout, because the pool
    /// has the deadline. Keep it for the life of the SDK's client.
    /// </summary>
    /// <param name="endpoint">The endpoint's name, for messages.</param>
    /// <param name="dialect">What it speaks. Default: recognised from the answers.</param>
    /// <param name="connectTimeout">Bound on connecting. Default 2 s.</param>
    public static HttpClient CreateHttpClient(string endpoint, WireDialect dialect = WireDialect.Unknown, TimeSpan? connectTimeout = null) =>
        new(new EndpointFaultHandler(endpoint, dialect) { InnerHandler = PoolConnections.NewHandler(connectTimeout ?? TimeSpan.FromSeconds(2)) }) { Timeout = Timeout.InfiniteTimeSpan };

    /// <inheritdoc/>
    /// <exception cref="EndpointFaultException">The endpoint refused, and not because of the request.</exception>
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var response = await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
        if ((int)response.StatusCode < 400)
            return response;
        var body = await RefusalBody.ReadAsync(response.Content, _clock, cancellationToken).ConfigureAwait(false);
        var evidence = new FaultEvidence
        {
            StatusCode = (int)response.StatusCode,
            Headers = response.Headers,
            Body = body.Read,
            Dialect = _dialect,
            Now = _clock.Time.GetUtcNow(),
        };
        if (FaultClassifier.Default.Classify(in evidence) is not { } fault || fault.IsNeutral && fault.SecondOpinion == SecondOpinion.None)
        {
            if (body.ToContent(response.Content) is { } content)
                response.ReplaceContent(content, body.IsWhole);
            return response;
        }
        response.Dispose();
        throw new EndpointFaultException(_endpoint, fault);
    }

    /// <inheritdoc/>
    /// <remarks>Blocks the thread. Synchronous calls of an SDK come here.</remarks>
    protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken) =>
        SynchronousSend.Run(SendAsync, request, cancellationToken);
}
