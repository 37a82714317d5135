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
}
