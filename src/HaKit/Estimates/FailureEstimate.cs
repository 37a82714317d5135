using HaKit.Faults;

namespace HaKit.Estimates;

/// <summary>
/// How likely the next attempt fails, as recent attempts tell: exponentially weighted, and fading while there are no attempts, so that an endpoint is
/// not avoided for ever. Read and written without locks; a lost update costs one sample.
/// </summary>
internal sealed class FailureEstimate
{
    private const double Weight = 0.1;

    // A stream cut after content is a failed call, which no other endpoint can repair.
    private const double CutWeight = 5;

    private const double HalfLifeTicks = 60.0 * TimeSpan.TicksPerSecond;

    // So faint that it would decide nothing but a tie.
    private const double Forgotten = 0.01;

    private static readonly Fault s_refuted = new(FaultKind.Unknown);

    private double _value;
    private long _updated;

    /// <summary>0 to 1.</summary>
    public double ProbabilityAt(TimeSpan now)
    {
        var value = Volatile.Read(ref _value);
        if (value == 0)
            return 0;
        value = Faded(value, now);
        return value < Forgotten ? 0 : Math.Min(1, value);
    }

    public void Ended(Fault? fault, TimeSpan now)
    {
        // A throttled endpoint is kept away by its cooldown; what the caller or the request did says nothing.
        if (fault is not null && (fault.IsNeutral || fault.Blame == FaultBlame.Throttle))
            return;
        var value = Volatile.Read(ref _value);
        if (fault is null && value == 0)
            return;
        var sample = fault?.Applied switch
        {
            null => 0,
            FaultApplied.Partial => CutWeight,
            _ => 1,
        };
        value = Faded(value, now);
        value += Weight * (sample - value);
        Volatile.Write(ref _value, value < Forgotten ? 0 : value);
        Volatile.Write(ref _updated, now.Ticks);
    }

    /// <summary>Another endpoint has served a call that this one refused: its refusals earn it no traffic, however fast they come.</summary>
    public void Refuted(TimeSpan now) => Ended(s_refuted, now);

    /// <summary>It is back: what it did before says nothing any more.</summary>
    public void Reset() => Volatile.Write(ref _value, 0);

    // Hyperbolic instead of exponential: one division on the path of every choice.
    private double Faded(double value, TimeSpan now)
    {
        var age = now.Ticks - Volatile.Read(ref _updated);
        return age <= 0 ? value : value / (1 + age / HalfLifeTicks);
    }
}
