using HaKit.Faults;

namespace HaKit.Health;

/// <summary>
/// Describes a cooldown: a time without calls, because a server has throttled calls, has named a time (<c>Retry-After</c>), or has refused a key or a quota. A
/// cooldown is independent of the health status and does not eject the endpoint.
/// </summary>
/// <param name="Since">The time of the server's answer that started the cooldown.</param>
/// <param name="Until">The end of the cooldown. <see cref="TimeSpan.MaxValue"/>: the cooldown lasts until an event clears it.</param>
/// <param name="TrialAt">The time at which one trial is allowed even before the end (the cap).</param>
/// <param name="Cause">The fault that the server reported.</param>
/// <param name="Return">The slow start with which the traffic returns.</param>
internal sealed record Cooldown(TimeSpan Since, TimeSpan Until, TimeSpan TrialAt, Fault Cause, SlowStart Return)
{
    /// <summary>
    /// Gets the shorter cooldown that runs at the same time and cannot be cleared, if this cooldown can be cleared. The shorter cooldown remains after this
    /// cooldown is cleared.
    /// </summary>
    public Cooldown? Beneath { get; private init; }

    /// <summary>
    /// Gets when a trial is allowed while no endpoint can serve, if that is before <see cref="TrialAt"/>. Null: it is not. A server that throttles and names no
    /// time has not asked for a pause. Its cooldown is the pool's own guess, and an outage must not last longer because of it.
    /// </summary>
    public TimeSpan? EarlyTrialAt { get; init; }

    /// <summary>Gets when a trial is allowed while no endpoint can serve.</summary>
    public TimeSpan OutageTrialAt => EarlyTrialAt ?? TrialAt;

    public bool IsUntilCleared => Until == TimeSpan.MaxValue;

    /// <summary>
    /// Gets whether a person or a probe may end the cooldown early. A quota can be paid and a key can be replaced, but the end of a throttle cannot be brought
    /// forward.
    /// </summary>
    public bool IsClearable => IsUntilCleared || Cause.Kind is FaultKind.QuotaExhausted or FaultKind.Unauthorized;

    public static Cooldown UntilCleared(Fault cause, TimeSpan trialAfter, TimeSpan now) =>
        new(now, TimeSpan.MaxValue, now + trialAfter, cause, default);

    public static Cooldown For(Fault cause, TimeSpan length, TimeSpan now, HealthOptions options)
    {
        var until = now + length;
        var slowStart = length < options.SlowStartDuration ? length : options.SlowStartDuration;
        var pause = length < options.CooldownCap ? length : options.CooldownCap;
        return new(now, until, now + pause, cause, new SlowStart(until, until + slowStart, options.SlowStartInitialShare));
    }

    /// <summary>Creates the pool's own cooldown for a throttle without a time.</summary>
    /// <param name="cause">The throttle.</param>
    /// <param name="length">The length of the cooldown.</param>
    /// <param name="now">The current time on the pool's clock.</param>
    /// <param name="options">The options. In an outage, a trial is allowed after <see cref="HealthOptions.ThrottleCooldown"/>, or at the end of the cooldown if that is earlier.</param>
    public static Cooldown OwnFor(Fault cause, TimeSpan length, TimeSpan now, HealthOptions options) =>
        For(cause, length, now, options) with { EarlyTrialAt = now + (length < options.ThrottleCooldown ? length : options.ThrottleCooldown) };

    /// <summary>
    /// Computes the wait from the time that an endpoint named. From the fourth refusal in a row on, the named time is doubled, at most to 30 s, because the
    /// endpoint has refused again each time after its named time. If the named time is very short, the wait is then <paramref name="least"/>.
    /// </summary>
    public static TimeSpan Stretched(TimeSpan named, int timesInARow, TimeSpan least = default)
    {
        if (timesInARow < 4 || named >= LongestStretched)
            return named;
        var wait = 2 * named > least ? 2 * named : least;
        return wait < LongestStretched ? wait : LongestStretched;
    }

    private static readonly TimeSpan LongestStretched = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Combines this cooldown with a later cooldown: the end is the later of both ends, and the trial is the later of both trials. Returns the same instance if
    /// nothing changes.
    /// </summary>
    public Cooldown CombineWith(Cooldown later)
    {
        var longer = Outlasts(later) ? this : later;
        var trialAt = LaterOf(TrialAt, later.TrialAt);
        var beneath = longer.IsClearable ? CombineOptional(Fixed, later.Fixed) : null;
        var early = EarlyTrialAt is { } one && later.EarlyTrialAt is { } other ? LaterOf(one, other) : default(TimeSpan?);
        if (ReferenceEquals(longer, this) && trialAt == TrialAt && early == EarlyTrialAt && Equals(beneath, Beneath))
            return this;
        return longer with { Since = later.Since, TrialAt = trialAt, EarlyTrialAt = early, Beneath = beneath };
    }

    // If both can be cleared, the cooldown that needs the higher probe level stays the cause. Otherwise a probe of the lower level would clear both.
    private bool Outlasts(Cooldown later) =>
        IsUntilCleared && later.IsUntilCleared ? Cause.Level() > later.Cause.Level() : Until >= later.Until;

    /// <summary>Gets the part of the cooldown that cannot be cleared.</summary>
    private Cooldown? Fixed => IsClearable ? Beneath : this;

    private static TimeSpan LaterOf(TimeSpan a, TimeSpan b) => a > b ? a : b;

    private static Cooldown? CombineOptional(Cooldown? earlier, Cooldown? later) =>
        earlier is not null && later is not null ? earlier.CombineWith(later) : earlier ?? later;
}
