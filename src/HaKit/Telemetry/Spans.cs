using System.Diagnostics;

namespace HaKit.Telemetry;

/// <summary>
/// What is peculiar about our spans: they end on whatever thread brings the news, so ending one must not touch what that thread is about; and
/// their lengths are taken from the pool's monotonic clock.
/// </summary>
internal static class Spans
{
    /// <summary>Begins a span. What listens to it is the user's code: if that throws, there is no span, and the call goes on.</summary>
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
            Activity.Current = current; // the runtime had made the new span current before it told the listener
            return null;
        }
    }

    /// <summary>Ends the span; whatever was current stays so.</summary>
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

    /// <summary>The span goes on without its caller, whose own span is current again.</summary>
    public static void StepOut(Activity span)
    {
        if (ReferenceEquals(Activity.Current, span))
            Activity.Current = span.Parent;
    }

    /// <summary>What is begun before the result is disposed of belongs to a trace that is not recorded: a probe would otherwise make a trace of its own at every beat.</summary>
    public static Activity Unrecorded()
    {
        var span = new Activity("hakit.probe");
        span.SetParentId(ActivityTraceId.CreateRandom(), ActivitySpanId.CreateRandom(), ActivityTraceFlags.None);
        return span.Start();
    }
}
