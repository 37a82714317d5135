using System.Diagnostics.Metrics;

namespace HaKit.Telemetry;

/// <summary>
/// Records measurements. The listeners may throw, because they are the application's code. An exception of a listener must not fail a call, and must not
/// prevent the completion of a lease.
/// </summary>
internal static class SafeInstruments
{
    public static void RecordSafely(this Histogram<double> histogram, double value, params ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        try
        {
            histogram.Record(value, tags);
        }
#pragma warning disable CA1031 // An exception of the application's listener must not fail a call.
        catch (Exception)
#pragma warning restore CA1031
        {
        }
    }

    public static void AddSafely(this Counter<long> counter, long value, params ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        try
        {
            counter.Add(value, tags);
        }
#pragma warning disable CA1031 // A listener that throws must not fail a call, nor keep a lease from being completed.
        catch (Exception)
#pragma warning restore CA1031
        {
        }
    }
}
