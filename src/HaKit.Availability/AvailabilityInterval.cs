namespace HaKit.Availability;

/// <summary>Two-sided bounds on an availability; immutable.</summary>
/// <param name="Lower">The lower bound.</param>
/// <param name="Upper">The upper bound.</param>
/// <param name="Confidence">The probability that both bounds hold. 0.95 leaves 2.5 % on each side.</param>
public readonly record struct AvailabilityInterval(AvailabilityRatio Lower, AvailabilityRatio Upper, double Confidence);

/// <summary>Bounds on a number; immutable.</summary>
/// <param name="Lower">The lower bound.</param>
/// <param name="Upper">The upper bound. Infinite if the data give no upper limit.</param>
/// <param name="Confidence">The probability that both bounds hold.</param>
public readonly record struct NumberInterval(double Lower, double Upper, double Confidence)
{
    /// <summary>Returns true if a value is within the bounds.</summary>
    public bool Contains(double value) => value >= Lower && value <= Upper;
}

/// <summary>The event that ended the observation.</summary>
public enum ObservationEnd
{
    /// <summary>The observation ended at a given time, so the current interval is censored. This is the usual case and the default.</summary>
    Time,

    /// <summary>The observation ended with the last failure or repair.</summary>
    Event,
}
