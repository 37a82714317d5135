using System.Diagnostics;

namespace HaKit.Telemetry;

/// <summary>
/// Handles what is special about HaKit's spans. They end on any thread, so ending one must not change that thread's current span. Their lengths come from the
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

    /// <summary>Ends the span; the current span stays.</summary>
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

    /// <summary>Leaves the span: it continues without its caller, whose own span is current again.</summary>
    public static void StepOut(Activity span)
    {
        if (ReferenceEquals(Activity.Current, span))
            Activity.Current = span.Parent;
    }

    /// <summary>
    /// Begins a trace that is not recorded, until the result is disposed; otherwise a probe would create a trace of its own at every heartbeat.
    /// </summary>
    public static Activity Unrecorded()
    {
        var span = new Activity("hakit.probe");
        span.SetParentId(ActivityTraceId.CreateRandom(), ActivitySpanId.CreateRandom(), ActivityTraceFlags.None);
        return span.Start();
    }
}
