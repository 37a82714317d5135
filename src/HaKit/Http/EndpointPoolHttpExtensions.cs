using System.Diagnostics.CodeAnalysis;
using HaKit.Connections;
using HaKit.Failover;
using HaKit.Http;
using Microsoft.Extensions.DependencyInjection;
using Polly;

namespace HaKit;

/// <summary>Uses a pool under HTTP clients.</summary>
public static class EndpointPoolHttpExtensions
{
    /// <summary>
    /// Creates an <see cref="HttpClient"/> over this pool, with connections of its own, for use without a container. Keep the client for the life of the
    /// application. The client has no timeout, because the pool enforces the deadline.
    /// </summary>
    /// <param name="pool">The pool.</param>
    public static HttpClient CreateHttpClient(this EndpointPool pool)
    {
        ArgumentNullException.ThrowIfNull(pool);
        if (pool.Engine.Snapshot.Members.FirstOrDefault(static m => m.Endpoint.Address is { } address && address.Scheme.Contains('+', StringComparison.Ordinal)) is { } logical)
            throw new InvalidOperationException($"Pool '{pool.Name}': the Address of endpoint '{logical.Endpoint.Name}' has the scheme '{logical.Endpoint.Address!.Scheme}', which only a client with service discovery can call. Use AddHttpClient with AddHaEndpointPoolHandler and AddServiceDiscovery, or AddEndpointsFrom (package HaKit.ServiceDiscovery), or write http or https.");
        return new HttpClient(new EndpointPoolHandler(pool) { InnerHandler = PoolConnections.NewHandler(pool.Options.ConnectTimeout) })
        {
            BaseAddress = pool.BaseAddress(),
            Timeout = Timeout.InfiniteTimeSpan,
        };
    }

    /// <summary>
    /// Explains which endpoint gets the HTTP calls that name a stored object (a response, a conversation, a file, a batch, or cached content), and why. Has no
    /// side effects. Thread-safe.
    /// </summary>
    /// <param name="pool">The pool.</param>
    /// <param name="id">The object's id as requests name it. The result does not contain it.</param>
    /// <returns>A sentence, for example <c>The object was made by endpoint 'e1' …</c>.</returns>
    public static string ExplainStoredObject(this EndpointPool pool, string id)
    {
        ArgumentNullException.ThrowIfNull(pool);
        ArgumentException.ThrowIfNullOrWhiteSpace(id);
        return StatePlacement.Explain(pool, HttpPoolState.Get(pool).Ids, id);
    }

    // Relative addresses are resolved against the folder, so a base address without a final slash would lose its last part.
    internal static Uri BaseAddress(this EndpointPool pool) =>
        pool.Origin.AbsoluteUri.EndsWith('/') ? pool.Origin : new Uri(pool.Origin.AbsoluteUri + "/");

    /// <summary>
    /// Adds the pool's failover to a pipeline of <c>AddResilienceHandler</c>. Each attempt goes to the address of its endpoint, with the endpoint's headers,
    /// credential and model. Answers are classified as in <see cref="EndpointPoolHandler"/>. Strategies before it run once per call; strategies after it run
    /// once per attempt.
    /// </summary>
    /// <param name="builder">The pipeline. Its context must contain the request, as the context of a <c>ResilienceHandler</c> does.</param>
    /// <param name="pool">The pool to choose from.</param>
    /// <returns>The same builder.</returns>
    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "The strategy's options have no annotated members to validate.")]
    public static ResiliencePipelineBuilder<HttpResponseMessage> AddHaEndpointFailover(this ResiliencePipelineBuilder<HttpResponseMessage> builder, EndpointPool pool)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(pool);
        return builder.AddStrategy(_ => new HttpFailoverStrategy(pool), new EndpointFailoverOptions());
    }

    /// <summary>
    /// Adds the failover of a pool in the container, for example <c>AddResilienceHandler("x", (builder, context) =>
    /// builder.AddHaEndpointFailover(context.ServiceProvider, "models"))</c>.
    /// </summary>
    /// <param name="builder">The pipeline.</param>
    /// <param name="services">The container with the pool.</param>
    /// <param name="pool">The pool's name.</param>
    /// <returns>The same builder.</returns>
    /// <exception cref="InvalidOperationException">No pool of this name was added.</exception>
    public static ResiliencePipelineBuilder<HttpResponseMessage> AddHaEndpointFailover(
        this ResiliencePipelineBuilder<HttpResponseMessage> builder, IServiceProvider services, string pool)
    {
        ArgumentNullException.ThrowIfNull(services);
        GivenName.ThrowIfBlank(pool, nameof(pool), nameof(AddHaEndpointFailover), "a pool"); // the container would give its unnamed pool for null
        return builder.AddHaEndpointFailover(services.GetRequiredKeyedService<EndpointPool>(pool));
    }
}
