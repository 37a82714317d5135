using HaKit.Availability.Numerics;

namespace HaKit.Availability;

/// <summary>
/// A heartbeat's design: every interval a beat is asked for, each may take up to the timeout, and so many misses in a row
/// are a verdict. Immutable and thread-safe.
/// </summary>
public sealed record Heartbeat
{
    /// <summary>A design.</summary>
    /// <param name="interval">The time between two heartbeats; greater than zero.</param>
    /// <param name="timeout">The longest wait for an answer to a heartbeat; zero or greater.</param>
    /// <param name="misses">Misses in a row that make the verdict; at least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is outside its range.</exception>
    public Heartbeat(TimeSpan interval, TimeSpan timeout, int misses)
    {
        Interval = Guard.Positive(interval);
        Timeout = Guard.NotNegative(timeout);
        Misses = Guard.AtLeast(1, misses);
    }

    /// <summary>Gets the time between two heartbeats.</summary>
    public TimeSpan Interval { get; }

    /// <summary>Gets the longest wait for an answer to a heartbeat.</summary>
    public TimeSpan Timeout { get; }

    /// <summary>Misses in a row that make the verdict.</summary>
    public int Misses { get; }

    /// <summary>
    /// Gets the longest time from a failure to its detection: misses · interval + timeout. This is the case of a failure just after a successful heartbeat.
    /// </summary>
    public TimeSpan WorstDetectionTime => Precise.FromTicks((double)Misses * Interval.Ticks + Timeout.Ticks);

    /// <summary>Mean time from a hang to the verdict: (misses − ½) · interval + timeout. It fails anywhere in the interval.</summary>
    public TimeSpan MeanDetectionTime => Precise.FromTicks((Misses - 0.5) * Interval.Ticks + Timeout.Ticks);

    /// <summary>Mean number of beats to a false alarm when each is lost with probability p, independently: (1 − pᵏ)/((1 − p)·pᵏ) (Feller I, XIII.7).</summary>
    /// <param name="loss">p, above 0 to below 1.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="loss"/> is NaN or outside its range.</exception>
    public double MeanBeatsToFalseAlarm(double loss)
    {
        // (1 − pᵏ)/(1 − p) = 1 + p + … + pᵏ⁻¹, and one more division by pᵏ: 1/p + 1/p² + … + 1/pᵏ.
        Guard.OpenProbability(loss);
        var beats = 0.0;
        var power = 1.0;
        for (var k = 0; k < Misses && double.IsFinite(beats); k++)
            beats += power /= loss;
        return beats;
    }

    /// <summary>Mean time to a false alarm: <see cref="MeanBeatsToFalseAlarm"/> intervals; at most <see cref="TimeSpan.MaxValue"/>.</summary>
    /// <inheritdoc cref="MeanBeatsToFalseAlarm" path="/param"/>
    /// <inheritdoc cref="MeanBeatsToFalseAlarm" path="/exception"/>
    public TimeSpan MeanTimeToFalseAlarm(double loss) => Precise.FromTicks(MeanBeatsToFalseAlarm(loss) * Interval.Ticks);

    /// <summary>
    /// Suspicion φ = −log₁₀ P(the beat comes later than this), for normal gaps (Hayashibara et al., "The φ accrual failure
    /// detector", 2004). The exact normal tail, finite far beyond where the probability underflows.
    /// </summary>
    /// <param name="mean">Mean gap between beats, in any unit; greater than zero.</param>
    /// <param name="deviation">The standard deviation, in the same unit; greater than zero.</param>
    /// <param name="elapsed">Time since the last beat, in the same unit; zero or greater.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is NaN, infinite or outside its range.</exception>
    public static double Phi(double mean, double deviation, double elapsed) =>
        -NormalDistribution.LogUpperTail((Guard.NotNegative(elapsed) - Guard.Positive(mean)) / Guard.Positive(deviation)) / Math.Log(10);
}
