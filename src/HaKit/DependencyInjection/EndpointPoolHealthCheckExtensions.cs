using HaKit;
using HaKit.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Health checks of pools.</summary>
public static class EndpointPoolHealthCheckExtensions
{
    /// <summary>
    /// Adds a check of a pool. Unhealthy: no endpoint takes ordinary traffic. Degraded: fewer than <paramref name="minimum"/> do, or a tier serves that
    /// is not the first. Never tag it <c>live</c>: a liveness probe would restart the application because its providers are down. For readiness give
    /// <c>failureStatus: HealthStatus.Degraded</c>: in an outage the application is to stay in rotation, because its calls wait. Its data says how each endpoint is, since when and why.
    /// </summary>
    /// <param name="builder">The checks.</param>
    /// <param name="pool">The pool's name, and the check's; an unknown pool is refused when the application starts.</param>
    /// <param name="minimum">How many endpoints should serve; a pool that has fewer should have all. Default 2: with one, the next failure is an outage. At least 1.</param>
    /// <param name="failureStatus">What is reported in place of unhealthy. Default: unhealthy.</param>
    /// <param name="tags">For choosing among checks. Default: none.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="minimum"/> is less than 1.</exception>
    public static IHealthChecksBuilder AddHaEndpointPoolCheck(
        this IHealthChecksBuilder builder, string pool, int minimum = 2, HealthStatus? failureStatus = null, IEnumerable<string>? tags = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrWhiteSpace(pool);
        ArgumentOutOfRangeException.ThrowIfLessThan(minimum, 1);
        builder.Services.AddSingleton(new EndpointPoolUse(pool, $"Health check '{pool}'"));
        builder.Services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, EndpointPoolHost>());
        return builder.Add(new HealthCheckRegistration(
            pool, provider => new EndpointPoolCheck(provider.GetRequiredKeyedService<EndpointPool>(pool), minimum), failureStatus, tags));
    }
}
