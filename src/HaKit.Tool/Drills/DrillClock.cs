using System.Diagnostics;

namespace HaKit.Tool.Drills;

/// <summary>The time since the drill began. Thread-safe.</summary>
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

    /// <summary>Blocks the thread until then; late by at most a millisecond where the machine is idle.</summary>
    public void SleepUntil(TimeSpan at, CancellationToken cancellationToken)
    {
        if (at - Now is { Ticks: > 0 } wait)
            cancellationToken.WaitHandle.WaitOne((int)Math.Ceiling(wait.TotalMilliseconds));
        cancellationToken.ThrowIfCancellationRequested();
    }
}
