using System.Diagnostics;

namespace HaKit.Tests.Telemetry;

/// <summary>Records the spans of one pool. The activity source belongs to the process, so the spans of tests that run at the same time arrive too.</summary>
internal sealed class SpanRecorder : IDisposable
{
    private readonly Lock _lock = new();
    private readonly List<Activity> _ended = [];
    private readonly ActivityListener _listener;

    public SpanRecorder(string pool)
    {
        _listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "HaKit",
            Sample = (ref ActivityCreationOptions<ActivityContext> options) =>
                options.Tags?.Any(t => t.Key == "hakit.pool" && Equals(t.Value, pool)) == true ? ActivitySamplingResult.AllDataAndRecorded : ActivitySamplingResult.None,
            ActivityStopped = span =>
            {
                // A span that another listener requested is reported to all listeners.
                if (!Equals(span.GetTagItem("hakit.pool"), pool))
                    return;
                lock (_lock)
                    _ended.Add(span);
            },
        };
        ActivitySource.AddActivityListener(_listener);
    }

    public IReadOnlyList<Activity> Ended
    {
        get
        {
            lock (_lock)
                return [.. _ended];
        }
    }

    public Activity Call => Ended.Single(s => s.Kind == ActivityKind.Internal);

    public IReadOnlyList<Activity> Attempts => [.. Ended.Where(s => s.Kind == ActivityKind.Client)];

    public void Dispose() => _listener.Dispose();
}
