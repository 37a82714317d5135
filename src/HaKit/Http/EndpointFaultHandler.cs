using HaKit.Attempts;
using HaKit.Connections;
using HaKit.Faults;
using HaKit.Http;

namespace HaKit;

/// <summary>
/// Turns failed responses of one endpoint into <see cref="EndpointFaultException"/>s. Put this handler into the <see cref="HttpClient"/> of an SDK's client
/// object that serves an endpoint of a pool. The exceptions contain the information of the response, such as <c>Retry-After</c>; the exceptions of some SDKs do
/// not. A response that refuses a wrong request, such as a 400, is passed through, so that the caller gets the SDK's own exception. Stateless; thread-safe.
/// </summary>
public sealed class EndpointFaultHandler : DelegatingHandler
{
    private readonly string _endpoint;
    private readonly WireDialect _dialect;
    private readonly PoolClock _clock;

    // The handler does not know the deadline of the call. The token of the call ends a read too.
    private readonly RefusalLimits _limits;

    /// <summary>Creates a handler; set its inner handler before use.</summary>
    /// <param name="endpoint">The endpoint's name, for messages.</param>
    /// <param name="dialect">The dialect of the endpoint. Default: recognised from the answers.</param>
    /// <param name="time">The clock for dates in headers. Default: the system's.</param>
    public EndpointFaultHandler(string endpoint, WireDialect dialect = WireDialect.Unknown, TimeProvider? time = null)
    {
        GivenName.ThrowIfBlank(endpoint, nameof(endpoint), "EndpointFaultHandler (UseHaEndpoint)", "an endpoint", "openai");
        _endpoint = endpoint;
        _dialect = dialect;
        _clock = new PoolClock(time ?? TimeProvider.System);
        _limits = new RefusalLimits(_clock, new Failover.StreamingOptions().IdleTimeout, TimeSpan.MaxValue);
    }

    /// <summary>
    /// Creates an <see cref="HttpClient"/> for the SDK of one endpoint. The HTTP client has this handler, connections that suit long calls, and no timeout,
    /// because the pool enforces the deadline. Keep it for the life of the SDK's client.
    /// </summary>
    /// <param name="endpoint">The endpoint's name, for messages.</param>
    /// <param name="dialect">The dialect of the endpoint. Default: recognised from the answers.</param>
    /// <param name="connectTimeout">The limit on connecting. Default 2 s.</param>
    public static HttpClient CreateHttpClient(string endpoint, WireDialect dialect = WireDialect.Unknown, TimeSpan? connectTimeout = null) =>
        new(new EndpointFaultHandler(endpoint, dialect) { InnerHandler = PoolConnections.NewHandler(connectTimeout ?? TimeSpan.FromSeconds(2)) }) { Timeout = Timeout.InfiniteTimeSpan };

    /// <inheritdoc/>
    /// <exception cref="EndpointFaultException">The endpoint failed, or it refused the request for a reason that may not apply to other endpoints.</exception>
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var response = await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
        if ((int)response.StatusCode < 400)
            return response;
        RefusalBody body;
        try
        {
            body = await RefusalBody.ReadAsync(response.Content, _clock, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            response.Dispose();
            throw;
        }
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
            response.ReplaceContent(body.ToContent(response.Content, _limits), body.IsWhole);
            return response;
        }
        response.Dispose();
        throw new EndpointFaultException(_endpoint, fault);
    }

    /// <inheritdoc/>
    /// <remarks>Blocks the thread. The synchronous calls of an SDK use it.</remarks>
    protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken) =>
        SynchronousSend.Run(SendAsync, request, cancellationToken);
}
