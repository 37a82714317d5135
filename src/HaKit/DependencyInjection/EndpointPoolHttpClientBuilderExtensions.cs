using HaKit.DependencyInjection;
using HaKit.Http;
using HaKit;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Puts pools under HTTP clients of the factory.</summary>
public static class EndpointPoolHttpClientBuilderExtensions
{
    /// <summary>
    /// Adds the pool as a handler. Handlers added before it see one call, handlers added after it see each attempt. The client's own timeout is
    /// switched off, because the pool has the deadline, and its base address becomes the pool's origin. Its connections are fitted to long calls: no
    /// redirects, no cookies, a left stream is closed at once; the pool's connect timeout and keep-alive pings unless others were set.
    /// </summary>
    /// <param name="builder">The client.</param>
    /// <param name="pool">The pool's name; an unknown one is refused when the application starts.</param>
    public static IHttpClientBuilder AddHaEndpointPoolHandler(this IHttpClientBuilder builder, string pool)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrWhiteSpace(pool);
        builder.Services.AddSingleton(new EndpointPoolUse(pool, $"HTTP client '{builder.Name}'"));
        builder.Services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, EndpointPoolHost>());
        builder.ConfigureHttpClient((provider, client) =>
        {
            client.Timeout = Timeout.InfiniteTimeSpan;
            client.BaseAddress ??= provider.GetRequiredKeyedService<EndpointPool>(pool).BaseAddress;
        });
        builder.ConfigurePrimaryHttpMessageHandler((primary, provider) =>
            PoolConnections.Suit(primary, provider.GetRequiredKeyedService<EndpointPool>(pool).Options.ConnectTimeout));
        return builder.AddHttpMessageHandler(provider => new EndpointPoolHandler(provider.GetRequiredKeyedService<EndpointPool>(pool)));
    }
}
