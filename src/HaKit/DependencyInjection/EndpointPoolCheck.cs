using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace HaKit.DependencyInjection;

/// <summary>
/// Checks a pool. Unhealthy: no endpoint serves. Degraded: fewer endpoints serve than the minimum, or only a later tier serves. Otherwise healthy.
/// </summary>
internal sealed class EndpointPoolCheck(EndpointPool pool, int minimum) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var status = pool.GetStatus();
        var wanted = Math.Min(minimum, status.Endpoints.Count);
        var data = new Dictionary<string, object>(StringComparer.Ordinal)
        {
            ["serving"] = status.Serving,
            ["wanted"] = wanted,
            ["endpoints"] = status.Endpoints.Count,
            ["waiting"] = status.Waiting,
        };
        // The link to other replicas does not change the result, because a pool also works without the link.
        if (pool.GetFleetStatus() is { Link: { } link } fleet)
            data["peers"] = link.IsConnected ? $"{fleet.Replicas.Count} replicas" : $"alone: {link.Problem}";
        foreach (var endpoint in status.Endpoints)
            data["endpoint." + endpoint.Endpoint.Name] = endpoint.HealthText;
        if (status.IsUnreachable)
            return Result(context.Registration.FailureStatus, $"Pool '{pool.Name}': {PoolStatus.Unreachable}.");
        if (status.ServingTier is not { } tier)
            return Result(context.Registration.FailureStatus, $"Pool '{pool.Name}': none of its endpoints ({status.Endpoints.Count}) can take traffic.");
        if (tier != status.FirstTier)
            return Result(HealthStatus.Degraded, $"Pool '{pool.Name}': tier {tier} serves in place of tier {status.FirstTier}.");
        return status.Serving < wanted
            ? Result(HealthStatus.Degraded, $"Pool '{pool.Name}': {status.Serving} of {status.Endpoints.Count} endpoints serve; {wanted} are wanted.")
            : Result(HealthStatus.Healthy, $"Pool '{pool.Name}': {status.Serving} of {status.Endpoints.Count} endpoints serve.");

        Task<HealthCheckResult> Result(HealthStatus verdict, string why) => Task.FromResult(new HealthCheckResult(verdict, why, data: data));
    }
}
