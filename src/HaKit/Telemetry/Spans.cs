using System.Diagnostics;

namespace HaKit.Telemetry;

/// <summary>
/// What is peculiar about our spans: they end on whatever thread brings the news, so ending one must not touch what that thread is about; and
/// their lengths are taken from the pool's monotonic clock.
/// </summary>
internal static class Spans
{
    /// <summary>Ends the span; whatever was current stays so.</summary>
    public static void Stop(Activity span, TimeSpan took)
    {
        var current = Activity.Current;
        span.SetEndTime(span.StartTimeUtc + (took > TimeSpan.Zero ? took : TimeSpan.FromTicks(1)));
        span.Stop();
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
}
