using HaKit.Attempts;

namespace HaKit.Failover.Waiting;

/// <summary>Draws the length of a call's backoff after a failure: full jitter (Brooker 2015) between 0 and a ceiling that doubles with each failure.</summary>
internal sealed class Backoff(Chance chance)
{
    // The last quarter of a deadline is left for an attempt.
    private const double LastPart = 0.25;

    /// <summary>
    /// Gets the end of the backoff after the call's last failure. It is drawn once for each failure, so that repeated reads return the same value.
    /// </summary>
    public TimeSpan EndFor(FailoverCall call, FailoverSettings settings) => call.BackoffUntil ?? DrawEnd(call, call.LastFailure, settings);

    /// <summary>Draws a new backoff that begins at the given time, and stores its end in the call.</summary>
    public TimeSpan DrawEnd(FailoverCall call, TimeSpan from, FailoverSettings settings)
    {
        // The ceiling is limited before it becomes a TimeSpan, because a long delay that has doubled many times is longer than the longest TimeSpan.
        var ceiling = new TimeSpan((long)Math.Min(settings.Retry.Delay.Ticks * Math.Pow(2, Math.Min(call.Backoffs, 30)), settings.Retry.MaxDelay.Ticks));
        call.Backoffs++;
        var until = from + ceiling * chance.NextDouble();
        // The backoff must leave the call time for another attempt: an attempt that comes slightly early is better than a lost call.
        if (call.Deadline < TimeSpan.MaxValue && from < call.Deadline && from + (1 - LastPart) * (call.Deadline - from) is var latest && latest < until)
            until = latest;
        call.BackoffUntil = until;
        return until;
    }
}
