using HaKit.Availability.Numerics;

namespace HaKit.Availability;

/// <summary>
/// The design of a heartbeat: one heartbeat per interval, a timeout for each, and a number of consecutive misses after which
/// the endpoint counts as failed. Immutable and thread-safe.
/// </summary>
public sealed record Heartbeat
{
    /// <summary>Creates a design.</summary>
    /// <param name="interval">The time between two heartbeats; greater than zero.</param>
    /// <param name="timeout">The longest wait for an answer to a heartbeat; zero or greater.</param>
    /// <param name="misses">The number of consecutive misses after which the endpoint counts as failed; at least 1.</param>
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

    /// <summary>Gets the number of consecutive misses after which the endpoint counts as failed.</summary>
    public int Misses { get; }

    /// <summary>
    /// Gets the longest time from a failure to its detection: misses · interval + timeout. This is the case of a failure just after a successful heartbeat.
    /// </summary>
    public TimeSpan WorstDetectionTime => Precise.FromTicks((double)Misses * Interval.Ticks + Timeout.Ticks);

    /// <summary>
    /// Gets the mean time from a failure to its detection: (misses − ½) · interval + timeout. The failure occurs at a random time in the interval.
    /// </summary>
    public TimeSpan MeanDetectionTime => Precise.FromTicks((Misses - 0.5) * Interval.Ticks + Timeout.Ticks);

    /// <summary>
    /// Returns the mean number of heartbeats until a false alarm, if each heartbeat is lost independently with probability p: (1 − pᵏ)/((1 − p)·pᵏ) (Feller
    /// I, XIII.7).
    /// </summary>
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

    /// <summary>Returns the mean time until a false alarm: <see cref="MeanBeatsToFalseAlarm"/> intervals; at most <see cref="TimeSpan.MaxValue"/>.</summary>
    /// <inheritdoc cref="MeanBeatsToFalseAlarm" path="/param"/>
    /// <inheritdoc cref="MeanBeatsToFalseAlarm" path="/exception"/>
    public TimeSpan MeanTimeToFalseAlarm(double loss) => Precise.FromTicks(MeanBeatsToFalseAlarm(loss) * Interval.Ticks);

    /// <summary>
    /// Returns the suspicion φ = −log₁₀ P(the heartbeat arrives later than this), for normally distributed gaps (Hayashibara et al., "The φ accrual failure
    /// detector", 2004). Uses the exact normal tail, which is finite even where the probability underflows.
    /// </summary>
    /// <param name="mean">The mean gap between heartbeats, in any unit; greater than zero.</param>
    /// <param name="deviation">The standard deviation, in the same unit; greater than zero.</param>
    /// <param name="elapsed">The time since the last heartbeat, in the same unit; zero or greater.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is NaN, infinite or outside its range.</exception>
    public static double Phi(double mean, double deviation, double elapsed) =>
        -NormalDistribution.LogUpperTail((Guard.NotNegative(elapsed) - Guard.Positive(mean)) / Guard.Positive(deviation)) / Math.Log(10);
}
