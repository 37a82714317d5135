using Microsoft.Extensions.Options;

namespace HaKit.Recording;

/// <summary>Adds a flight recorder to a pool that is created without a container.</summary>
public static class FlightRecorderExtensions
{
    /// <summary>
    /// Records the calls, attempts, probes, changes of health and settings of the pool that is created with these parts. It records no prompt, no answer, no
    /// credential, no address and no caller. The recorder writes on a timer's thread. If the disk is slow, full or read-only, entries of the recording are
    /// lost, but no call fails.
    /// </summary>
    /// <param name="parts">The parts of the pool.</param>
    /// <param name="options">Sets the folder and the sizes. The recorder takes a copy.</param>
    /// <exception cref="OptionsValidationException">An option is invalid; the message names all invalid options.</exception>
    public static EndpointPoolParts UseFlightRecorder(this EndpointPoolParts parts, FlightRecorderOptions options)
    {
        ArgumentNullException.ThrowIfNull(parts);
        ArgumentNullException.ThrowIfNull(options);
        string[] wrong = [.. options.Validate()];
        if (wrong.Length > 0)
            throw new OptionsValidationException("recorder", typeof(FlightRecorderOptions), wrong);
        var copy = options.Copy();
        parts.Recorder = scope => new FlightRecorder(copy, scope);
        return parts;
    }
}
