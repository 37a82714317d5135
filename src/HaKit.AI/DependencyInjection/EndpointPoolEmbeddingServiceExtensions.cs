using HaKit;
using HaKit.AI;
using HaKit.AI.DependencyInjection;
using Microsoft.Extensions.AI;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers embedding generators over pools, and adds endpoints with embedding generators to pools.</summary>
public static class EndpointPoolEmbeddingServiceExtensions
{
    /// <summary>Registers an embedding generator over a pool: as <see cref="IEmbeddingGenerator{TInput, TEmbedding}"/> and as <see cref="EndpointPoolEmbeddingGenerator"/>.</summary>
    /// <param name="services">The container.</param>
    /// <param name="pool">The name of the pool, as passed to <c>AddHaEndpointPool</c>.</param>
    /// <param name="configure">Sets how the generator uses the pool. Null: the defaults.</param>
    /// <returns>The builder of the generator. It adds generators around this generator, for example a cache or logging.</returns>
    public static EmbeddingGeneratorBuilder<string, Embedding<float>> AddHaEmbeddingGenerator(this IServiceCollection services, string pool, Action<EndpointPoolEmbeddingOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.RequireHaEndpointPool(pool, nameof(AddHaEmbeddingGenerator));
        UnkeyedClient.Add(services, nameof(AddHaEmbeddingGenerator), pool);
        services.AddSingleton(provider => provider.GetRequiredKeyedService<EndpointPool>(pool).AsEmbeddingGenerator(configure));
        return services.AddEmbeddingGenerator(static provider => provider.GetRequiredService<EndpointPoolEmbeddingGenerator>());
    }

    /// <summary>Registers a keyed embedding generator over a pool; see <see cref="AddHaEmbeddingGenerator"/>.</summary>
    /// <param name="services">The container.</param>
    /// <param name="serviceKey">The key.</param>
    /// <param name="pool">The pool's name.</param>
    /// <param name="configure">Sets how the generator uses the pool. Null: the defaults.</param>
    public static EmbeddingGeneratorBuilder<string, Embedding<float>> AddKeyedHaEmbeddingGenerator(
        this IServiceCollection services, object? serviceKey, string pool, Action<EndpointPoolEmbeddingOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.RequireHaEndpointPool(pool, nameof(AddKeyedHaEmbeddingGenerator));
        services.AddKeyedSingleton(serviceKey, (provider, _) => provider.GetRequiredKeyedService<EndpointPool>(pool).AsEmbeddingGenerator(configure));
        return services.AddKeyedEmbeddingGenerator(serviceKey, provider => provider.GetRequiredKeyedService<EndpointPoolEmbeddingGenerator>(serviceKey));
    }

    /// <summary>
    /// Adds an endpoint with an embedding generator. If the configuration already has an endpoint of this name, that endpoint gets the generator.
    /// </summary>
    /// <param name="builder">The pool.</param>
    /// <param name="name">The endpoint's name.</param>
    /// <param name="generator">The endpoint's generator. Switch off the generator's own retries, because they would multiply the pool's retries.</param>
    /// <param name="configure">Changes the endpoint. Runs again at each reload.</param>
    public static IEndpointPoolBuilder AddEndpoint(
        this IEndpointPoolBuilder builder, string name, IEmbeddingGenerator<string, Embedding<float>> generator, Action<EndpointOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(generator);
        return builder.Attach(name, _ => generator, configure);
    }

    /// <summary>
    /// Adds an endpoint with an embedding generator from a function. The function runs once. The pool does not dispose the generator.
    /// </summary>
    /// <param name="builder">The pool.</param>
    /// <param name="name">The endpoint's name.</param>
    /// <param name="generator">Returns the endpoint's generator.</param>
    /// <param name="configure">Changes the endpoint.</param>
    public static IEndpointPoolBuilder AddEndpoint(
        this IEndpointPoolBuilder builder, string name, Func<IServiceProvider, IEmbeddingGenerator<string, Embedding<float>>> generator, Action<EndpointOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(generator);
        return builder.Attach(name, generator, configure);
    }
}
