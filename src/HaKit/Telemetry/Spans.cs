using System.Diagnostics;

namespace HaKit.Telemetry;

/// <summary>
/// Starts and ends HaKit's spans. A span may end on any thread, so the end of a span must not change the current span of that thread. Durations come from the
/// pool's monotonic clock.
/// </summary>
internal static class Spans
{
    /// <summary>Begins a span. A listener is the application's code: if it throws, there is no span, and the call continues.</summary>
    public static Activity? Start(string name, ActivityKind kind, ActivityContext parent, KeyValuePair<string, object?>[] tags, DateTimeOffset at)
    {
        var current = Activity.Current;
        try
        {
            return Instruments.Source.StartActivity(name, kind, parent, tags, null, at);
        }
#pragma warning disable CA1031 // A listener that throws must not fail a call, nor keep a lease from being completed.
        catch (Exception)
#pragma warning restore CA1031
        {
            Activity.Current = current; // the runtime had made the new span current before it called the listener
            return null;
        }
    }

    /// <summary>Ends the span. The current span stays the same; if the ended span is the current span, its parent becomes current.</summary>
    public static void Stop(Activity span, TimeSpan took)
    {
        var current = Activity.Current;
        span.SetEndTime(span.StartTimeUtc + (took > TimeSpan.Zero ? took : TimeSpan.FromTicks(1)));
        try
        {
            span.Stop();
        }
#pragma warning disable CA1031 // A listener that throws must not fail a call, nor keep a lease from being completed.
        catch (Exception)
#pragma warning restore CA1031
        {
        }
        var next = ReferenceEquals(current, span) ? span.Parent : current;
        if (!ReferenceEquals(Activity.Current, next) && next is not { IsStopped: true })
            Activity.Current = next;
    }

    /// <summary>Makes the parent's span the current span again. The span itself continues.</summary>
    public static void StepOut(Activity span)
    {
        if (ReferenceEquals(Activity.Current, span))
            Activity.Current = span.Parent;
    }

    /// <summary>Begins a trace that is not recorded, until the result is disposed. Otherwise each heartbeat would create a trace.</summary>
    public static Activity Unrecorded()
    {
        var span = new Activity("hakit.probe");
        span.SetParentId(ActivityTraceId.CreateRandom(), ActivitySpanId.CreateRandom(), ActivityTraceFlags.None);
        return span.Start();
    }
}
