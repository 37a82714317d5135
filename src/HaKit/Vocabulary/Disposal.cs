using System.Runtime.ExceptionServices;

namespace HaKit;

/// <summary>Disposes several objects, of which some are the application's own code and may throw.</summary>
internal static class Disposal
{
    /// <summary>Disposes all objects, in order. If some of them throw, the first exception is thrown at the end.</summary>
    public static void DisposeAll(params ReadOnlySpan<IDisposable?> owned)
    {
        ExceptionDispatchInfo? failure = null;
        foreach (var part in owned)
        {
            try
            {
                part?.Dispose();
            }
#pragma warning disable CA1031 // The exception is thrown again after the last object is disposed.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                failure ??= ExceptionDispatchInfo.Capture(exception);
            }
        }
        failure?.Throw();
    }
}
