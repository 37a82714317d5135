using System.ClientModel.Primitives;

namespace HaKit; // not HaKit.OpenAI, because code in HaKit's namespaces could then not refer to the SDK's namespace OpenAI

/// <summary>Puts the official OpenAI SDK, or any other client on System.ClientModel, over a pool. Thread-safe.</summary>
public static class EndpointPoolClientPipelineExtensions
{
    /// <summary>
    /// Sends all requests of the client through the pool. The method switches off the SDK's own retries, which would multiply the pool's retries, and the SDK's
    /// network timeout, which would end healthy streams. Set the pool's <see cref="EndpointPool.Origin"/> as the endpoint of the SDK's client.
    /// </summary>
    /// <typeparam name="TOptions">The type of the client's options.</typeparam>
    /// <param name="options">The options. Their transport, retry policy and network timeout are replaced. Not thread-safe; use them for one client.</param>
    /// <param name="pool">The pool. Each call of this method opens its own connections, which live as long as the client.</param>
    /// <returns>The same options.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="InvalidOperationException">The options already belong to a client.</exception>
    public static TOptions UseHaEndpointPool<TOptions>(this TOptions options, EndpointPool pool)
        where TOptions : ClientPipelineOptions
    {
        ArgumentNullException.ThrowIfNull(pool);
        return options.Over(pool.CreateHttpClient);
    }

    /// <summary>
    /// Prepares the client to serve one endpoint of a pool as a client object. The client's own retries and network timeout are switched off. The endpoint's
    /// refusals become <see cref="EndpointFaultException"/>s, which contain the information of the response (<see cref="EndpointFaultHandler"/>).
    /// </summary>
    /// <typeparam name="TOptions">The type of the client's options.</typeparam>
    /// <param name="options">The options. Their transport, retry policy and network timeout are replaced. Not thread-safe; use them for one client.</param>
    /// <param name="endpoint">The endpoint's name, for messages.</param>
    /// <returns>The same options.</returns>
    /// <exception cref="InvalidOperationException">The options already belong to a client.</exception>
    public static TOptions UseHaEndpoint<TOptions>(this TOptions options, string endpoint)
        where TOptions : ClientPipelineOptions => options.Over(() => EndpointFaultHandler.CreateHttpClient(endpoint));

    /// <summary>
    /// Sends all requests of the client through an HTTP client that uses a pool, such as one of <see cref="IHttpClientFactory"/> with
    /// <c>AddHaEndpointPoolHandler</c>. The handlers of the HTTP client, for example for logging or tests, then apply to the SDK. The SDK's own retries and
    /// network timeout are switched off.
    /// </summary>
    /// <typeparam name="TOptions">The type of the client's options.</typeparam>
    /// <param name="options">The options. Their transport, retry policy and network timeout are replaced. Not thread-safe; use them for one client.</param>
    /// <param name="client">The HTTP client; it is not disposed.</param>
    /// <returns>The same options.</returns>
    /// <exception cref="InvalidOperationException">The options already belong to a client.</exception>
    public static TOptions UseHaEndpointPool<TOptions>(this TOptions options, HttpClient client)
        where TOptions : ClientPipelineOptions
    {
        ArgumentNullException.ThrowIfNull(client);
        return options.Over(() => client);
    }

    /// <summary>
    /// Prepares the client to serve one endpoint of a pool, over the application's own HTTP client. Remove resilience handlers from that client with
    /// <c>RemoveAllResilienceHandlers</c>, because their retries would multiply the pool's retries.
    /// </summary>
    /// <typeparam name="TOptions">The type of the client's options.</typeparam>
    /// <param name="options">The options. Their transport, retry policy and network timeout are replaced. Not thread-safe; use them for one client.</param>
    /// <param name="endpoint">The endpoint's name, for messages.</param>
    /// <param name="client">The HTTP client; it is not disposed. Its timeout would end long streams: use <see cref="Timeout.InfiniteTimeSpan"/>.</param>
    /// <returns>The same options.</returns>
    /// <exception cref="InvalidOperationException">The options already belong to a client.</exception>
    public static TOptions UseHaEndpoint<TOptions>(this TOptions options, string endpoint, HttpClient client)
        where TOptions : ClientPipelineOptions
    {
        ArgumentNullException.ThrowIfNull(client);
        return options.Over(() => new HttpClient(new EndpointFaultHandler(endpoint) { InnerHandler = new ForwardingHandler(client) }) { Timeout = Timeout.InfiniteTimeSpan });
    }

    private static TOptions Over<TOptions>(this TOptions options, Func<HttpClient> client)
        where TOptions : ClientPipelineOptions
    {
        ArgumentNullException.ThrowIfNull(options);
        options.RetryPolicy = new ClientRetryPolicy(maxRetries: 0);
        options.NetworkTimeout = Timeout.InfiniteTimeSpan;
        options.Transport = new HttpClientPipelineTransport(client());
        return options;
    }
}
