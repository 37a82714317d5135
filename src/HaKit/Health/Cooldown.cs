using HaKit.Faults;

namespace HaKit.Health;

/// <summary>Describes a time to come back that a server named. A cooldown exists beside the status and ejects no endpoint.</summary>
/// <param name="Since">The time of the server's answer that started the cooldown.</param>
/// <param name="Until">The end of the cooldown. <see cref="TimeSpan.MaxValue"/>: it lasts until an event clears it.</param>
/// <param name="TrialAt">The time at which one trial is allowed even before the end (the cap).</param>
/// <param name="Cause">The fault that the server reported.</param>
/// <param name="Return">The slow start with which the traffic returns.</param>
internal sealed record Cooldown(TimeSpan Since, TimeSpan Until, TimeSpan TrialAt, Fault Cause, SlowStart Return)
{
    /// <summary>
    /// Gets the shorter wait of a throttle below this cooldown, if only this cooldown can be cleared. It continues after this cooldown is cleared.
    /// </summary>
    public Cooldown? Beneath { get; private init; }

    public bool IsUntilCleared => Until == TimeSpan.MaxValue;

    /// <summary>
    /// Gets whether a person or a probe may end the cooldown early. A quota can be paid and a key can be replaced; a throttled server cannot be hurried.
    /// </summary>
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

    /// <summary>
    /// Gets the time that an endpoint named. From the fourth in a row it is doubled, at most to 30 s, because the endpoint names its time but refuses again
    /// after it.
    /// </summary>
    public static TimeSpan Stretched(TimeSpan named, int timesInARow)
    {
        if (timesInARow < 4 || named >= LongestStretched)
            return named;
        return 2 * named < LongestStretched ? 2 * named : LongestStretched;
    }

    private static readonly TimeSpan LongestStretched = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Combines this cooldown with a later one: the longer wait, and no trial before the trial of either. Returns the same instance if nothing changes.
    /// </summary>
    public Cooldown And(Cooldown later)
    {
        var longer = Outlasts(later) ? this : later;
        var trialAt = TrialAt > later.TrialAt ? TrialAt : later.TrialAt;
        var beneath = longer.IsClearable ? Both(Fixed, later.Fixed) : null;
        if (ReferenceEquals(longer, this) && trialAt == TrialAt && Equals(beneath, Beneath))
            return this;
        return longer with { Since = later.Since, TrialAt = trialAt, Beneath = beneath };
    }

    // If both can be cleared, the one that needs the higher probe level stays the cause. Otherwise clearing the lower one would clear both.
    private bool Outlasts(Cooldown later) =>
        IsUntilCleared && later.IsUntilCleared ? Cause.Level() > later.Cause.Level() : Until >= later.Until;

    /// <summary>Gets the part of the cooldown that cannot be cleared.</summary>
    private Cooldown? Fixed => IsClearable ? Beneath : this;

    private static Cooldown? Both(Cooldown? earlier, Cooldown? later) =>
        earlier is not null && later is not null ? earlier.And(later) : earlier ?? later;
}
