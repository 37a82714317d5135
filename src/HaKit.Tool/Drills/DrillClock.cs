using System.Diagnostics;

namespace HaKit.Tool.Drills;

/// <summary>Measures the time since the start of the drill. Thread-safe.</summary>
internal sealed class DrillClock
{
    private readonly long _origin = Stopwatch.GetTimestamp();

    public TimeSpan Now => Stopwatch.GetElapsedTime(_origin);

    public async Task UntilAsync(TimeSpan at, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (at - Now is { Ticks: > 0 } wait)
            await Task.Delay(wait, cancellationToken);
    }

    /// <summary>Blocks the thread until a time. On an idle machine this method returns at most 1 ms late.</summary>
    public void SleepUntil(TimeSpan at, CancellationToken cancellationToken)
    {
        if (at - Now is { Ticks: > 0 } wait)
            cancellationToken.WaitHandle.WaitOne((int)Math.Ceiling(wait.TotalMilliseconds));
        cancellationToken.ThrowIfCancellationRequested();
    }
}
