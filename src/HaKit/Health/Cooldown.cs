using HaKit.Faults;

namespace HaKit.Health;

/// <summary>
/// The server said when to come back. Runs beside the status: it ejects nobody and is never cut short by a trial's success that is older.
/// </summary>
/// <param name="Since">When it was said.</param>
/// <param name="Until">When it is over; <see cref="TimeSpan.MaxValue"/>: not before something clears it.</param>
/// <param name="TrialAt">From when on one trial may ask nevertheless (the cap).</param>
/// <param name="Cause">What was said.</param>
/// <param name="Return">The ramp on which the traffic comes back.</param>
internal sealed record Cooldown(TimeSpan Since, TimeSpan Until, TimeSpan TrialAt, Fault Cause, Ramp Return)
{
    public bool IsUntilCleared => Until == TimeSpan.MaxValue;

    /// <summary>May a person or a probe end it before its time? Money and keys can be put right; a throttled server cannot.</summary>
    public bool IsClearable => IsUntilCleared || Cause.IsUntilCleared() || Cause.Kind is FaultKind.QuotaExhausted or FaultKind.Unauthorized;

    public static Cooldown UntilCleared(Cooldown? old, Fault cause, TimeSpan now, HealthOptions options)
    {
        // Of two things to clear, the one that needs the higher level stays the cause, or clearing the lower would clear both.
        if (old is { IsUntilCleared: true } && old.Cause.Level() > cause.Level()) cause = old.Cause;
        return new(now, TimeSpan.MaxValue, now + options.CooldownCap, cause, default);
    }

    public static Cooldown For(Cooldown? old, Fault cause, TimeSpan length, TimeSpan now, HealthOptions options)
    {
        var until = now + length;
        var trialAt = now + (length < options.CooldownCap ? length : options.CooldownCap);
        if (old is not null && old.TrialAt > trialAt) trialAt = old.TrialAt;
        if (old is not null && old.Until >= until) return trialAt == old.TrialAt ? old : old with { TrialAt = trialAt };
        var ramp = length < options.RampDuration ? length : options.RampDuration;
        return new(now, until, trialAt, cause, new Ramp(until, until + ramp, options.RampStart));
    }
}
