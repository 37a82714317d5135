using HaKit;
using HaKit.ServiceDiscovery;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.ServiceDiscovery;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Uses the instances of a service as the endpoints of a pool.</summary>
public static class EndpointPoolServiceDiscoveryExtensions
{
    /// <summary>
    /// Adds one endpoint for each instance of the service, and follows the service while the application runs: a new instance is added, and an instance that is
    /// gone gets no new calls. The pool may start empty. Endpoints from configuration and code are not changed, and a reload of the configuration does not
    /// change the endpoints of the service. If the service cannot be resolved or has no instance, its endpoints stay. You can call this method for several
    /// services.
    /// </summary>
    /// <param name="builder">The pool.</param>
    /// <param name="service">
    /// The service's address as for an <see cref="HttpClient"/> with service discovery, with the path for the SDK, for example <c>https+http://models/v1</c>.
    /// </param>
    /// <param name="configure">Sets further options of each endpoint; its name and address are already set. Default: nothing.</param>
    /// <returns>The same builder.</returns>
    /// <exception cref="ArgumentException">The address is not an http or https address.</exception>
    /// <example><code>
    /// builder.Services.AddHaEndpointPool("models", options => { })
    ///     .AddEndpointsFrom("https+http://models/v1", endpoint => endpoint.Dialect = WireDialect.Vllm);
    /// </code></example>
    public static IEndpointPoolBuilder AddEndpointsFrom(this IEndpointPoolBuilder builder, string service, Action<EndpointOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        if (!Uri.TryCreate(service, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https" or "https+http" or "http+https"))
            throw new ArgumentException($"AddEndpointsFrom of pool '{builder.Name}': '{service}' is not the address of a service: an address like 'https+http://models/v1' is needed.", nameof(service));
        builder.Services.AddServiceDiscovery();
        builder.Services.Configure<EndpointPoolOptions>(builder.Name, static options => options.AllowEmpty = true);
        builder.Services.AddSingleton<IHostedService>(provider => new DiscoveredEndpoints(
            provider.GetRequiredKeyedService<EndpointPool>(builder.Name), provider.GetRequiredService<ServiceEndpointResolver>(), address, configure,
            provider.GetService<TimeProvider>() ?? TimeProvider.System, provider.GetService<ILoggerFactory>()));
        return builder;
    }
}
