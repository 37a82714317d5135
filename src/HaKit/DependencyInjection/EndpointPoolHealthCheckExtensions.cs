using HaKit;
using HaKit.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers health checks of pools.</summary>
public static class EndpointPoolHealthCheckExtensions
{
    /// <summary>
    /// Adds a health check of a pool. Unhealthy: no endpoint takes ordinary traffic. Degraded: fewer than <paramref name="minimum"/> endpoints do, or a tier
    /// serves that is not the first. Its data says for each endpoint the state, since when, and why. Never tag the check <c>live</c>: a liveness probe would
    /// restart the application because its providers are down. For readiness use <c>failureStatus: HealthStatus.Degraded</c>: the application should stay in
    /// rotation in an outage, because its calls wait.
    /// </summary>
    /// <param name="builder">The health checks.</param>
    /// <param name="pool">The name of the pool, and of the check. An unknown pool is refused when the application starts.</param>
    /// <param name="minimum">
    /// The number of endpoints that should serve; a pool that has fewer endpoints should have all of them. Default 2, because with one endpoint the next
    /// failure is an outage. At least 1.
    /// </param>
    /// <param name="failureStatus">The status to report instead of unhealthy. Default: unhealthy.</param>
    /// <param name="tags">Tags for selecting checks. Default: none.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="minimum"/> is less than 1.</exception>
    public static IHealthChecksBuilder AddHaEndpointPoolCheck(
        this IHealthChecksBuilder builder, string pool, int minimum = 2, HealthStatus? failureStatus = null, IEnumerable<string>? tags = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrWhiteSpace(pool);
        ArgumentOutOfRangeException.ThrowIfLessThan(minimum, 1);
        builder.Services.RequireHaEndpointPool(pool, $"Health check '{pool}'");
        return builder.Add(new HealthCheckRegistration(
            pool, provider => new EndpointPoolCheck(provider.GetRequiredKeyedService<EndpointPool>(pool), minimum), failureStatus, tags));
    }
}
