using Microsoft.Extensions.AI;

namespace HaKit.AI;

/// <summary>Adds chat clients and embedding generators to pools as endpoints, and creates clients over pools.</summary>
public static class EndpointPoolAIExtensions
{
    /// <summary>
    /// Creates a chat client over the pool. Keep the client as long as the pool: the client remembers the endpoint that created a state, such as a
    /// conversation id, a file or encrypted reasoning. Thread-safe.
    /// </summary>
    /// <param name="pool">The pool. All its endpoints must have chat clients.</param>
    /// <param name="configure">Sets how the client uses the pool. Null: the defaults.</param>
    /// <exception cref="ArgumentException">An endpoint has no chat client.</exception>
    public static EndpointPoolChatClient AsChatClient(this EndpointPool pool, Action<EndpointPoolChatClientOptions>? configure = null)
    {
        var options = new EndpointPoolChatClientOptions();
        configure?.Invoke(options);
        return new(pool, options);
    }

    /// <summary>Adds an endpoint with a chat client. If the options have an endpoint with this name already, sets the chat client of this endpoint.</summary>
    /// <param name="options">The pool's options.</param>
    /// <param name="name">The endpoint's name.</param>
    /// <param name="client">The endpoint's client. Switch off the client's own retries, because they would multiply the pool's retries.</param>
    /// <param name="configure">Changes the endpoint: model, tier, account, context window, prices.</param>
    /// <param name="chat">Sets the endpoint's chat options. Null: the defaults.</param>
    /// <returns>The same options.</returns>
    public static EndpointPoolOptions AddEndpoint(
        this EndpointPoolOptions options, string name, IChatClient client, Action<EndpointOptions>? configure = null, Action<ChatEndpointOptions>? chat = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        return options.Attach(name, Serving(client, chat), configure);
    }

    /// <summary>Adds an endpoint to a running pool.</summary>
    /// <inheritdoc cref="AddEndpoint(EndpointPoolOptions, string, IChatClient, Action{EndpointOptions}?, Action{ChatEndpointOptions}?)"/>
    /// <param name="pool">The pool.</param>
    /// <param name="name">The endpoint's name, which must be new in this pool.</param>
    /// <param name="client">The endpoint's client.</param>
    /// <param name="configure">Changes the endpoint.</param>
    /// <param name="chat">Sets the endpoint's chat options. Null: the defaults.</param>
    public static void AddEndpoint(
        this EndpointPool pool, string name, IChatClient client, Action<EndpointOptions>? configure = null, Action<ChatEndpointOptions>? chat = null)
    {
        ArgumentNullException.ThrowIfNull(pool);
        var endpoint = new EndpointOptions { Name = name, Client = Serving(client, chat) };
        configure?.Invoke(endpoint);
        pool.AddEndpoint(endpoint);
    }

    /// <summary>
    /// Creates an embedding generator over the pool. Keep the generator as long as the pool: the generator remembers which model made the vectors, and accepts
    /// no vectors of another model. Thread-safe.
    /// </summary>
    /// <param name="pool">The pool. All its endpoints must have embedding generators.</param>
    /// <param name="configure">Sets how the generator uses the pool. Null: the defaults.</param>
    /// <exception cref="ArgumentException">An endpoint has no embedding generator.</exception>
    /// <exception cref="EmbeddingMismatchException">Endpoints declare different models or lengths.</exception>
    public static EndpointPoolEmbeddingGenerator AsEmbeddingGenerator(this EndpointPool pool, Action<EndpointPoolEmbeddingOptions>? configure = null)
    {
        var options = new EndpointPoolEmbeddingOptions();
        configure?.Invoke(options);
        return new(pool, options);
    }

    /// <summary>Adds an endpoint with an embedding generator. If the options have an endpoint with this name already, sets the generator of this endpoint.</summary>
    /// <param name="options">The pool's options.</param>
    /// <param name="name">The endpoint's name.</param>
    /// <param name="generator">The endpoint's generator. Switch off the generator's own retries, because they would multiply the pool's retries.</param>
    /// <param name="configure">Changes the endpoint: model, tier, account, prices.</param>
    /// <returns>The same options.</returns>
    public static EndpointPoolOptions AddEndpoint(
        this EndpointPoolOptions options, string name, IEmbeddingGenerator<string, Embedding<float>> generator, Action<EndpointOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(generator);
        return options.Attach(name, generator, configure);
    }

    internal static PoolEndpoint? Find(this EndpointPool pool, string name)
    {
        foreach (var endpoint in pool.Endpoints)
        {
            if (endpoint.Name == name)
                return endpoint;
        }

        return null;
    }

    internal static ChatEndpoint Serving(IChatClient client, Action<ChatEndpointOptions>? configure)
    {
        ArgumentNullException.ThrowIfNull(client);
        var options = new ChatEndpointOptions();
        configure?.Invoke(options);
        return new ChatEndpoint(client, options);
    }

    internal static EndpointPoolOptions Attach(this EndpointPoolOptions options, string name, object client, Action<EndpointOptions>? configure)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        var endpoint = options.Endpoints.FirstOrDefault(e => e.Name == name);
        if (endpoint is null)
            options.Endpoints.Add(endpoint = new EndpointOptions { Name = name });
        endpoint.Client = client;
        configure?.Invoke(endpoint);
        return options;
    }
}
