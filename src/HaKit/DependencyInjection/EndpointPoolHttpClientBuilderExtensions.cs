using HaKit;
using HaKit.Connections;
using HaKit.DependencyInjection;
using HaKit.Http;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Http;
using Microsoft.Extensions.Http.Resilience;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds pools to HTTP clients of the factory.</summary>
public static class EndpointPoolHttpClientBuilderExtensions
{
    /// <summary>
    /// Adds the pool as a handler of the client. Handlers that were added before it run once per call; handlers that are added after it run once per attempt.
    /// The client's own timeout is switched off, because the pool enforces the deadline. A client without a base address gets the pool's origin. The client's
    /// connections follow no redirects, keep no cookies, and close an abandoned stream at once. They use the pool's connect timeout and keep-alive pings unless
    /// you have set others.
    /// </summary>
    /// <remarks>
    /// Resilience handlers with their own retries and timeouts are removed from the client, because they would repeat or cut off the pool's calls. The order in
    /// which they were added does not matter. The removed handlers are the handlers that <c>ConfigureHttpClientDefaults</c> adds to all clients, and the
    /// client's own standard resilience and standard hedging handlers. The removal is logged once. Handlers of <c>AddResilienceHandler</c> on the client itself
    /// stay, and a warning is logged. <see cref="KeepResilience"/> keeps all of these handlers. Service discovery moves inside the pool, where it resolves the
    /// address of each attempt.
    /// </remarks>
    /// <param name="builder">The client.</param>
    /// <param name="pool">The pool's name. An unknown pool is refused when the application starts.</param>
    /// <exception cref="ArgumentException">
    /// The builder is for all clients (<c>ConfigureHttpClientDefaults</c>), but a pool belongs to one client; or the client already has a pool.
    /// </exception>
    public static IHttpClientBuilder AddHaEndpointPoolHandler(this IHttpClientBuilder builder, string pool)
    {
        ArgumentNullException.ThrowIfNull(builder);
        GivenName.ThrowIfBlank(pool, nameof(pool), $"AddHaEndpointPoolHandler of HTTP client '{builder.Name}'", "a pool");
        ThrowIfForAllClients(builder);
        if (builder.Services.FirstOrDefault(s => !s.IsKeyedService && s.ImplementationInstance is EndpointPoolClient other && other.Client == builder.Name)?.ImplementationInstance is EndpointPoolClient earlier)
            throw new ArgumentException($"HTTP client '{builder.Name}' has the pool '{earlier.Pool}' already. Call AddHaEndpointPoolHandler once for each client.", nameof(pool));
        builder.Services.RequireHaEndpointPool(pool, $"HTTP client '{builder.Name}'");
        builder.Services.AddSingleton(new EndpointPoolClient(builder.Name, pool));
        builder.Services.TryAddSingleton<StandardHandlersOff>();
        if (!builder.Services.Any(static s => s.ImplementationType == typeof(QuietProbes)))
            builder.Services.Insert(0, ServiceDescriptor.Singleton<IHttpMessageHandlerBuilderFilter, QuietProbes>());
        builder.Services.TryAddEnumerable(
        [
            ServiceDescriptor.Singleton<IPostConfigureOptions<HttpClientFactoryOptions>, PoolClientSetup>(),
            ServiceDescriptor.Singleton<IPostConfigureOptions<HttpStandardResilienceOptions>, StandardHandlersOff>(Off),
            ServiceDescriptor.Singleton<IPostConfigureOptions<HttpStandardHedgingResilienceOptions>, StandardHandlersOff>(Off),
        ]);
        builder.ConfigureHttpClient((provider, client) => client.BaseAddress ??= provider.GetRequiredKeyedService<EndpointPool>(pool).BaseAddress());
        builder.ConfigurePrimaryHttpMessageHandler((primary, provider) =>
            PoolConnections.Suit(primary, provider.GetRequiredKeyedService<EndpointPool>(pool).Options.ConnectTimeout));
        return builder.AddHttpMessageHandler(provider => new EndpointPoolHandler(provider.GetRequiredKeyedService<EndpointPool>(pool)));
    }

    /// <summary>
    /// Keeps every resilience handler of a client that uses a pool. Without this method, <see cref="AddHaEndpointPoolHandler"/> removes the handlers whose
    /// retries and timeouts would repeat or cut off the pool's calls.
    /// </summary>
    /// <param name="builder">The client.</param>
    /// <exception cref="ArgumentException">The builder is for all clients (<c>ConfigureHttpClientDefaults</c>).</exception>
    public static IHttpClientBuilder KeepResilience(this IHttpClientBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ThrowIfForAllClients(builder);
        builder.Services.AddSingleton(new KeptResilience(builder.Name));
        return builder;
    }

    // The builder for all clients has no name.
    private static void ThrowIfForAllClients(IHttpClientBuilder builder)
    {
        if (builder.Name is null)
            throw new ArgumentException("A pool belongs to a named or typed client (AddHttpClient), not to ConfigureHttpClientDefaults.", nameof(builder));
    }

    private static StandardHandlersOff Off(IServiceProvider provider) => provider.GetRequiredService<StandardHandlersOff>();
}
