using HaKit;
using HaKit.DependencyInjection;
using HaKit.Recording;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Flight recorders of pools that the container makes.</summary>
public static class FlightRecorderServiceExtensions
{
    /// <summary>
    /// Records a pool to files, which <see cref="HaKit.Recording.FlightRecording"/>, <c>hakit record show</c> and <c>hakit replay</c> read: its calls, attempts, probes, changes of health and settings; no
    /// prompt, no answer, no credential, no address and no caller. A disk that is slow, full or read-only costs entries of the recording, never a call or the start.
    /// </summary>
    /// <param name="services">The container.</param>
    /// <param name="pool">The name of the pool.</param>
    /// <param name="configure">Says where and how much is written.</param>
    /// <exception cref="OptionsValidationException">An option makes no sense; all such options are named.</exception>
    public static IServiceCollection AddHaFlightRecorder(this IServiceCollection services, string pool, Action<FlightRecorderOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentException.ThrowIfNullOrWhiteSpace(pool);
        ArgumentNullException.ThrowIfNull(configure);
        var options = new FlightRecorderOptions();
        configure(options);
        new EndpointPoolParts().UseFlightRecorder(options); // what is wrong with the options is told here, and not when the pool is made
        services.AddSingleton(new EndpointPoolUse(pool, "AddHaFlightRecorder"));
        services.AddSingleton(new EndpointPoolPartsConfiguration(pool, (_, parts) => parts.UseFlightRecorder(options)));
        return services;
    }
}
