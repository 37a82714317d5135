using HaKit.Faults;

namespace HaKit.Health;

/// <summary>The server said when to come back. Exists beside the status and ejects no endpoint.</summary>
/// <param name="Since">When it was said.</param>
/// <param name="Until">When it is over; <see cref="TimeSpan.MaxValue"/>: not before something clears it.</param>
/// <param name="TrialAt">From when on one trial may ask nevertheless (the cap).</param>
/// <param name="Cause">What was said.</param>
/// <param name="Return">The ramp on which the traffic comes back.</param>
internal sealed record Cooldown(TimeSpan Since, TimeSpan Until, TimeSpan TrialAt, Fault Cause, SlowStart Return)
{
    /// <summary>A throttle's shorter wait beneath this one, if only this one can be cleared: it goes on when this one is cleared.</summary>
    public Cooldown? Beneath { get; private init; }

    public bool IsUntilCleared => Until == TimeSpan.MaxValue;

    /// <summary>May a person or a probe end it before its time? Money and keys can be put right; a throttled server cannot.</summary>
    public bool IsClearable => IsUntilCleared || Cause.Kind is FaultKind.QuotaExhausted or FaultKind.Unauthorized;

    public static Cooldown UntilCleared(Fault cause, TimeSpan trialAfter, TimeSpan now) =>
        new(now, TimeSpan.MaxValue, now + trialAfter, cause, default);

    public static Cooldown For(Fault cause, TimeSpan length, TimeSpan now, HealthOptions options)
    {
        var until = now + length;
        var ramp = length < options.SlowStartDuration ? length : options.SlowStartDuration;
        var silence = length < options.CooldownCap ? length : options.CooldownCap;
        return new(now, until, now + silence, cause, new SlowStart(until, until + ramp, options.SlowStartInitialShare));
    }

    /// <summary>The wait that an endpoint named, doubled from the fourth in a row on, at most to 30 s: it names its time without keeping to it.</summary>
    public static TimeSpan Stretched(TimeSpan named, int timesInARow)
    {
        if (timesInARow < 4 || named >= LongestStretched)
            return named;
        return 2 * named < LongestStretched ? 2 * named : LongestStretched;
    }

    private static readonly TimeSpan LongestStretched = TimeSpan.FromSeconds(30);

    /// <summary>What holds when a later one is said: the longer wait, and no trial before either's. The same instance if nothing changes.</summary>
    public Cooldown And(Cooldown later)
    {
        var longer = Outlasts(later) ? this : later;
        var trialAt = TrialAt > later.TrialAt ? TrialAt : later.TrialAt;
        var beneath = longer.IsClearable ? Both(Fixed, later.Fixed) : null;
        if (ReferenceEquals(longer, this) && trialAt == TrialAt && Equals(beneath, Beneath))
            return this;
        return longer with { Since = later.Since, TrialAt = trialAt, Beneath = beneath };
    }

    // Of two things to clear, the one that needs the higher level stays the cause, or clearing the lower would clear both.
    private bool Outlasts(Cooldown later) =>
        IsUntilCleared && later.IsUntilCleared ? Cause.Level() > later.Cause.Level() : Until >= later.Until;

    /// <summary>The part of it that cannot be cleared.</summary>
    private Cooldown? Fixed => IsClearable ? Beneath : this;

    private static Cooldown? Both(Cooldown? earlier, Cooldown? later) =>
        earlier is not null && later is not null ? earlier.And(later) : earlier ?? later;
}
