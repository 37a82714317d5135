using HaKit;
using HaKit.ServiceDiscovery;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.ServiceDiscovery;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Gives a pool the instances of a service as its endpoints.</summary>
public static class EndpointPoolServiceDiscoveryExtensions
{
    /// <summary>
    /// Adds one endpoint for each instance of the service, and follows it while the application runs: an instance that appears is added, one that is gone is given
    /// nothing new. The pool may begin empty. Endpoints of the configuration and of code are left alone, and a reload of the configuration leaves these alone.
    /// When the service cannot be resolved, or has no instance at all, the endpoints stay as they were. Can be called for several services.
    /// </summary>
    /// <param name="builder">The pool.</param>
    /// <param name="service">The service's address as an <see cref="HttpClient"/> with service discovery would have it, with the path that the SDK is given, for example <c>https+http://models/v1</c>.</param>
    /// <param name="configure">Describes each endpoint further; its name and address are set already. Default: nothing.</param>
    /// <returns>The same builder.</returns>
    /// <exception cref="ArgumentException">The address is not one of http or https.</exception>
    /// <example><code>
    /// builder.Services.AddHaEndpointPool("models", options => { })
    ///     .AddEndpointsFrom("https+http://models/v1", endpoint => endpoint.Dialect = WireDialect.Vllm);
    /// </code></example>
    public static IEndpointPoolBuilder AddEndpointsFrom(this IEndpointPoolBuilder builder, string service, Action<EndpointOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        if (!Uri.TryCreate(service, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https" or "https+http" or "http+https"))
            throw new ArgumentException($"'{service}' is not the address of a service: an address like 'https+http://models/v1' is needed.", nameof(service));
        builder.Services.AddServiceDiscovery();
        builder.Services.Configure<EndpointPoolOptions>(builder.Name, static options => options.AllowEmpty = true);
        builder.Services.AddSingleton<IHostedService>(provider => new DiscoveredEndpoints(
            provider.GetRequiredKeyedService<EndpointPool>(builder.Name), provider.GetRequiredService<ServiceEndpointResolver>(), address, configure,
            provider.GetService<TimeProvider>() ?? TimeProvider.System, provider.GetService<ILoggerFactory>()));
        return builder;
    }
}
