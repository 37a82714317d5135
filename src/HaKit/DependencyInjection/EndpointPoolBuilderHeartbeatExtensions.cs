using HaKit;
using HaKit.DependencyInjection;
using HaKit.Heartbeats;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds probes, recovery actions and callbacks to a pool that the container creates.</summary>
public static class EndpointPoolBuilderHeartbeatExtensions
{
    /// <summary>
    /// Sets how the heartbeats probe endpoints. If this method is called several times, the pool calls the functions in the order of registration, and uses the
    /// first probe that is not null.
    /// </summary>
    /// <param name="builder">The pool.</param>
    /// <param name="probe">
    /// Creates the probe of an endpoint. If it returns null, the pool calls the next function. If all functions return null, the pool uses the default probe.
    /// </param>
    public static IEndpointPoolBuilder AddProbe(this IEndpointPoolBuilder builder, Func<PoolEndpoint, IProbe?> probe)
    {
        ArgumentNullException.ThrowIfNull(probe);
        return builder.ConfigureParts((_, parts) =>
        {
            var before = parts.Probe;
            parts.Probe = before is null ? probe : endpoint => before(endpoint) ?? probe(endpoint);
        });
    }

    /// <summary>Sets how the heartbeats probe one endpoint.</summary>
    /// <param name="builder">The pool.</param>
    /// <param name="endpoint">The endpoint's name.</param>
    /// <param name="probe">The probe.</param>
    /// <exception cref="OptionsValidationException">At start-up: the pool has no endpoint of this name.</exception>
    public static IEndpointPoolBuilder AddProbe(this IEndpointPoolBuilder builder, string endpoint, IProbe probe)
    {
        ArgumentNullException.ThrowIfNull(builder);
        GivenName.ThrowIfBlank(endpoint, nameof(endpoint), $"AddProbe of pool '{builder.Name}'", "an endpoint", "openai");
        ArgumentNullException.ThrowIfNull(probe);
        EndpointNameUse.Add(builder, endpoint, "AddProbe");
        return builder.AddProbe(e => e.Name == endpoint ? probe : null);
    }

    /// <summary>Adds an action that tries to bring an ejected endpoint back.</summary>
    /// <param name="builder">The pool.</param>
    /// <param name="action">The action. It runs at most once per period and endpoint, on a timer's thread.</param>
    public static IEndpointPoolBuilder OnEjected(this IEndpointPoolBuilder builder, Func<EjectionEvidence, CancellationToken, ValueTask> action)
    {
        ArgumentNullException.ThrowIfNull(action);
        return builder.ConfigureParts((_, parts) => parts.OnEjected.Add(action));
    }

    /// <summary>Adds a callback for each failed attempt; see <see cref="EndpointPoolParts.OnAttemptFailed"/>.</summary>
    /// <param name="builder">The pool.</param>
    /// <param name="callback">The callback. It runs on the thread that ended the attempt, so it must return soon and must not block.</param>
    public static IEndpointPoolBuilder OnAttemptFailed(this IEndpointPoolBuilder builder, Action<AttemptFailure> callback)
    {
        ArgumentNullException.ThrowIfNull(callback);
        return builder.ConfigureParts((_, parts) => parts.OnAttemptFailed.Add(callback));
    }

    /// <summary>Adds a callback for each endpoint that is back in service; see <see cref="EndpointPoolParts.OnRecovered"/>.</summary>
    /// <param name="builder">The pool.</param>
    /// <param name="callback">The callback. It runs on the thread that recorded the recovery, so it must return soon and must not block.</param>
    public static IEndpointPoolBuilder OnRecovered(this IEndpointPoolBuilder builder, Action<EndpointRecovered> callback)
    {
        ArgumentNullException.ThrowIfNull(callback);
        return builder.ConfigureParts((_, parts) => parts.OnRecovered.Add(callback));
    }
}
