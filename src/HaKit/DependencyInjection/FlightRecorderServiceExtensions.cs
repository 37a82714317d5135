using HaKit;
using HaKit.DependencyInjection;
using HaKit.Recording;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers flight recorders of pools that the container creates.</summary>
public static class FlightRecorderServiceExtensions
{
    /// <summary>
    /// Records a pool's calls, attempts, probes, health changes and settings to files. <see cref="HaKit.Recording.FlightRecording"/>, <c>hakit record show</c>
    /// and <c>hakit replay</c> read these files. The files contain no prompt, no answer, no credential, no address and no caller. If the disk is slow, full or
    /// read-only, entries of the recording are lost, but no call fails and the application starts.
    /// </summary>
    /// <param name="services">The container.</param>
    /// <param name="pool">The name of the pool.</param>
    /// <param name="configure">Sets the folder and the sizes.</param>
    /// <exception cref="OptionsValidationException">An option is invalid; the message names all invalid options.</exception>
    public static IServiceCollection AddHaFlightRecorder(this IServiceCollection services, string pool, Action<FlightRecorderOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        GivenName.ThrowIfBlank(pool, nameof(pool), nameof(AddHaFlightRecorder), "a pool");
        ArgumentNullException.ThrowIfNull(configure);
        var options = new FlightRecorderOptions();
        configure(options);
        new EndpointPoolParts().UseFlightRecorder(options); // mistakes in the options are reported here, not later when the pool is created
        if (services.Any(s => !s.IsKeyedService && s.ImplementationInstance is RecordedPool other && other.Pool == pool))
            throw new ArgumentException($"AddHaFlightRecorder: pool '{pool}' has a recorder already. Call AddHaFlightRecorder once for each pool.", nameof(pool));
        services.AddSingleton(new RecordedPool(pool));
        services.RequireHaEndpointPool(pool, nameof(AddHaFlightRecorder));
        services.AddSingleton(new EndpointPoolPartsConfiguration(pool, (_, parts) => parts.UseFlightRecorder(options)));
        return services;
    }

    // Marks a pool that has a recorder. A second recorder for this pool is refused, because it would replace the first recorder.
    private sealed record RecordedPool(string Pool);
}
