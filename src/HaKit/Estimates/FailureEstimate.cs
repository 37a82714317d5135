using HaKit.Faults;

namespace HaKit.Estimates;

/// <summary>
/// Estimates the probability that the next attempt fails, from recent attempts. The estimate is an exponentially weighted average. It fades while there are no
/// attempts, so that an endpoint is not avoided for ever. Read and written without locks; a lost update costs one sample.
/// </summary>
internal sealed class FailureEstimate
{
    private const double Weight = 0.1;

    // A stream that is cut after content is a failed call, and no other endpoint can repair it.
    private const double CutWeight = 5;

    private const double HalfLifeTicks = 60.0 * TimeSpan.TicksPerSecond;

    // Below this value the estimate would matter only between otherwise equal endpoints, so it is set to zero.
    private const double Forgotten = 0.01;

    private static readonly Fault s_servedElsewhere = new(FaultKind.Unknown);

    private double _value;
    private long _updated;

    /// <summary>Gets the estimate, 0 to 1.</summary>
    public double ProbabilityAt(TimeSpan now)
    {
        var value = Volatile.Read(ref _value);
        if (value == 0)
            return 0;
        value = Faded(value, now);
        return value < Forgotten ? 0 : Math.Min(1, value);
    }

    public void RecordEnd(Fault? fault, TimeSpan now)
    {
        // A cooldown already keeps calls away from a throttled endpoint, and faults of the caller or the request are no evidence about the endpoint.
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

    /// <summary>Records that another endpoint has served a call that this endpoint refused. Fast refusals must not attract traffic.</summary>
    public void RecordServedElsewhere(TimeSpan now) => RecordEnd(s_servedElsewhere, now);

    /// <summary>Clears the estimate: the endpoint is back, so its earlier failures no longer count.</summary>
    public void Reset() => Volatile.Write(ref _value, 0);

    // The estimate fades hyperbolically, not exponentially, so that every choice needs only one division.
    private double Faded(double value, TimeSpan now)
    {
        var age = now.Ticks - Volatile.Read(ref _updated);
        return age <= 0 ? value : value / (1 + age / HalfLifeTicks);
    }
}
