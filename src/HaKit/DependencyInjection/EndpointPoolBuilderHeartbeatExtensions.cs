using HaKit;
using HaKit.Heartbeats;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds probes and recovery actions to a pool that the container makes.</summary>
public static class EndpointPoolBuilderHeartbeatExtensions
{
    /// <summary>Says how endpoints are asked how they are. Of several, the first that has an answer for an endpoint decides.</summary>
    /// <param name="builder">The pool.</param>
    /// <param name="probe">Makes the probe of an endpoint; null to leave it to the next, or to the default.</param>
    public static IEndpointPoolBuilder AddProbe(this IEndpointPoolBuilder builder, Func<PoolEndpoint, IProbe?> probe)
    {
        ArgumentNullException.ThrowIfNull(probe);
        return builder.ConfigureParts((_, parts) =>
        {
            var before = parts.Probe;
            parts.Probe = before is null ? probe : endpoint => before(endpoint) ?? probe(endpoint);
        });
    }

    /// <summary>Says how one endpoint is asked how it is.</summary>
    /// <param name="builder">The pool.</param>
    /// <param name="endpoint">The endpoint's name.</param>
    /// <param name="probe">Asks it.</param>
    public static IEndpointPoolBuilder AddProbe(this IEndpointPoolBuilder builder, string endpoint, IProbe probe)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(endpoint);
        ArgumentNullException.ThrowIfNull(probe);
        return builder.AddProbe(e => e.Name == endpoint ? probe : null);
    }

    /// <summary>Adds an action that is to bring an ejected endpoint back.</summary>
    /// <param name="builder">The pool.</param>
    /// <param name="action">Runs at most once per period and endpoint, on a timer's thread.</param>
    public static IEndpointPoolBuilder OnEjected(this IEndpointPoolBuilder builder, Func<EjectionEvidence, CancellationToken, ValueTask> action)
    {
        ArgumentNullException.ThrowIfNull(action);
        return builder.ConfigureParts((_, parts) => parts.OnEjected.Add(action));
    }

    /// <summary>Calls the application for each attempt that failed; see <see cref="EndpointPoolParts.OnAttemptFailed"/>.</summary>
    /// <param name="builder">The pool.</param>
    /// <param name="callback">Runs on the thread that ended the attempt: return soon and do not block.</param>
    public static IEndpointPoolBuilder OnAttemptFailed(this IEndpointPoolBuilder builder, Action<AttemptFailure> callback)
    {
        ArgumentNullException.ThrowIfNull(callback);
        return builder.ConfigureParts((_, parts) => parts.OnAttemptFailed.Add(callback));
    }

    /// <summary>Calls the application when an endpoint is back in service; see <see cref="EndpointPoolParts.OnRecovered"/>.</summary>
    /// <param name="builder">The pool.</param>
    /// <param name="callback">Runs on the thread that found out: return soon and do not block.</param>
    public static IEndpointPoolBuilder OnRecovered(this IEndpointPoolBuilder builder, Action<EndpointRecovered> callback)
    {
        ArgumentNullException.ThrowIfNull(callback);
        return builder.ConfigureParts((_, parts) => parts.OnRecovered.Add(callback));
    }
}
