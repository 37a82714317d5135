using System.ClientModel.Primitives;

namespace HaKit; // not HaKit.OpenAI: that would hide the SDK's own namespace from code in ours

/// <summary>Puts the official OpenAI SDK, or any other client made on System.ClientModel, over a pool.</summary>
public static class EndpointPoolClientPipelineExtensions
{
    /// <summary>
    /// Sends everything the client does through the pool, and switches off what would work against it: the SDK's own retries, which multiply ours,
    /// and its network timeout, which ends healthy streams. Give the SDK the pool's <see cref="EndpointPool.Origin"/> as its endpoint.
    /// </summary>
    /// <typeparam name="TOptions">The client's kind of options.</typeparam>
    /// <param name="options">The options; their transport, retry policy and network timeout are replaced. Not thread-safe; use them for one client.</param>
    /// <param name="pool">The pool. Each call of this method opens connections of its own, which live as long as the client.</param>
    /// <returns>The same options.</returns>
    /// <exception cref="ArgumentNullException">One of the two is null.</exception>
    /// <exception cref="InvalidOperationException">The options belong to a client already.</exception>
    public static TOptions UseHaEndpointPool<TOptions>(this TOptions options, EndpointPool pool)
        where TOptions : ClientPipelineOptions
    {
        ArgumentNullException.ThrowIfNull(pool);
        return options.Over(pool.CreateHttpClient);
    }

    /// <summary>
    /// Makes the client fit to serve one endpoint of a pool, as an object: its own retries and network timeout are switched off, and what the endpoint refuses is
    /// an <see cref="EndpointFaultException"/> with all that the wire says (<see cref="EndpointFaultHandler"/>).
    /// </summary>
    /// <typeparam name="TOptions">The client's kind of options.</typeparam>
    /// <param name="options">The options; their transport, retry policy and network timeout are replaced. Not thread-safe; use them for one client.</param>
    /// <param name="endpoint">The endpoint's name, for messages.</param>
    /// <returns>The same options.</returns>
    /// <exception cref="InvalidOperationException">The options belong to a client already.</exception>
    public static TOptions UseHaEndpoint<TOptions>(this TOptions options, string endpoint)
        where TOptions : ClientPipelineOptions => options.Over(() => EndpointFaultHandler.CreateHttpClient(endpoint));

    /// <summary>
    /// Sends everything the client does through an HTTP client that has a pool under it, such as one of <see cref="IHttpClientFactory"/> with
    /// <c>AddHaEndpointPoolHandler</c>, so that its logging, its proxy and its tests apply. The SDK's own retries and network timeout are switched off.
    /// </summary>
    /// <typeparam name="TOptions">The client's kind of options.</typeparam>
    /// <param name="options">The options; their transport, retry policy and network timeout are replaced. Not thread-safe; use them for one client.</param>
    /// <param name="client">The HTTP client; not disposed of.</param>
    /// <returns>The same options.</returns>
    /// <exception cref="InvalidOperationException">The options belong to a client already.</exception>
    public static TOptions UseHaEndpointPool<TOptions>(this TOptions options, HttpClient client)
        where TOptions : ClientPipelineOptions
    {
        ArgumentNullException.ThrowIfNull(client);
        return options.Over(() => client);
    }

    /// <summary>
    /// As the other overload, over an HTTP client of the application's own. Resilience handlers of that client repeat what the pool repeats already: take them off with
    /// <c>RemoveAllResilienceHandlers</c>.
    /// </summary>
    /// <typeparam name="TOptions">The client's kind of options.</typeparam>
    /// <param name="options">The options; their transport, retry policy and network timeout are replaced. Not thread-safe; use them for one client.</param>
    /// <param name="endpoint">The endpoint's name, for messages.</param>
    /// <param name="client">The HTTP client; not disposed of. Its timeout ends long streams: <see cref="Timeout.InfiniteTimeSpan"/> suits a pool.</param>
    /// <returns>The same options.</returns>
    /// <exception cref="InvalidOperationException">The options belong to a client already.</exception>
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
