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
    /// Adds a health check of a pool. Unhealthy: no endpoint takes ordinary traffic. Degraded: fewer than <paramref name="minimum"/> endpoints take ordinary
    /// traffic, or the first tier does not serve. The data of the result contains each endpoint's state, its start and its cause. Never tag the check
    /// <c>live</c>: a liveness probe would restart the application because its providers are down. For a readiness probe, use <c>failureStatus:
    /// HealthStatus.Degraded</c>. The application then stays in rotation while its calls wait for the end of an outage.
    /// </summary>
    /// <param name="builder">The health checks.</param>
    /// <param name="pool">The name of the pool, and of the check. An unknown pool is refused when the application starts.</param>
    /// <param name="minimum">
    /// The number of endpoints that should serve. In a pool with fewer endpoints, all of them should serve. Default 2, because with one serving endpoint the
    /// next failure is an outage; at least 1.
    /// </param>
    /// <param name="failureStatus">The status to report instead of Unhealthy. Default null: Unhealthy.</param>
    /// <param name="tags">Tags for selecting checks. Default: none.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="minimum"/> is less than 1.</exception>
    /// <exception cref="ArgumentException">The pool's name is blank, the pool has a check already, or the tag <c>live</c> was given.</exception>
    public static IHealthChecksBuilder AddHaEndpointPoolCheck(
        this IHealthChecksBuilder builder, string pool, int minimum = 2, HealthStatus? failureStatus = null, IEnumerable<string>? tags = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        GivenName.ThrowIfBlank(pool, nameof(pool), nameof(AddHaEndpointPoolCheck), "a pool");
        if (minimum < 1)
            throw new ArgumentOutOfRangeException(nameof(minimum), minimum, $"AddHaEndpointPoolCheck of pool '{pool}': minimum is {minimum}, and at least 1 is needed.");
        if (tags?.Contains("live", StringComparer.OrdinalIgnoreCase) == true)
            throw new ArgumentException($"AddHaEndpointPoolCheck of pool '{pool}' has the tag 'live': a liveness probe would restart the application because its providers are down. Use another tag, such as 'ready'.", nameof(tags));
        var user = $"Health check '{pool}'";
        if (builder.Services.Any(s => !s.IsKeyedService && s.ImplementationInstance is EndpointPoolUse use && use.Pool == pool && use.By == user))
            throw new ArgumentException($"AddHaEndpointPoolCheck: pool '{pool}' has a health check already, and two health checks of one name are not possible. Call AddHaEndpointPoolCheck once for each pool.", nameof(pool));
        builder.Services.RequireHaEndpointPool(pool, user);
        return builder.Add(new HealthCheckRegistration(
            pool, provider => new EndpointPoolCheck(provider.GetRequiredKeyedService<EndpointPool>(pool), minimum), failureStatus, tags));
    }
}
