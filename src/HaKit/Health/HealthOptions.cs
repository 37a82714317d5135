namespace HaKit.Health;

/// <summary>
/// When an endpoint is taken out of service and how it comes back. Times are durations on the monotonic clock.
/// Not to be changed once handed to a pool; a reload hands over a new one and keeps the state.
/// </summary>
public sealed class HealthOptions
{
    /// <summary>Failures to connect in a row that eject (connect, DNS, TLS). Default 3, at least 1.</summary>
    public int ConnectFailuresToEject { get; set; } = 3;

    /// <summary>Failures of the endpoint of any kind in a row that eject; four times as many of the last endpoint that is admitted, unless nothing answers. Default 5, at least 1.</summary>
    public int FailuresToEject { get; set; } = 5;

    /// <summary>The share of failures within <see cref="SamplingDuration"/> that ejects, though not the last endpoint that is admitted. Default 0.5, above 0 and at most 1.</summary>
    public double FailureRatio { get; set; } = 0.5;

    /// <summary>Attempts within <see cref="SamplingDuration"/> below which <see cref="FailureRatio"/> does not apply. Default 10, at least 1.</summary>
    public int MinimumThroughput { get; set; } = 10;

    /// <summary>The window of <see cref="FailureRatio"/>, kept in ten buckets. Default 30 s, at least 10 ms.</summary>
    public TimeSpan SamplingDuration { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>The first ejection's length; each further one is twice the last. Default 5 s.</summary>
    public TimeSpan BreakDuration { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>The longest ejection, before jitter. Default 300 s, at least <see cref="BreakDuration"/>.</summary>
    public TimeSpan MaxBreakDuration { get; set; } = TimeSpan.FromSeconds(300);

    /// <summary>How far an ejection may be off its length, as a share of it, either way. Default 0.2, from 0 to below 1.</summary>
    public double BreakJitter { get; set; } = 0.2;

    /// <summary>After a full recovery, health of this length makes one earlier ejection forgotten. Default 300 s.</summary>
    public TimeSpan EjectionMemory { get; set; } = TimeSpan.FromSeconds(300);

    /// <summary>The deadline of a trial: an unanswered one counts as failed, and its slot is free again. Default 30 s.</summary>
    public TimeSpan TrialTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>The part of a server's Retry-After that is waited for in silence; past it one trial at a time may ask. Default 1 h.</summary>
    public TimeSpan CooldownCap { get; set; } = TimeSpan.FromHours(1);

    /// <summary>When the first trial comes after a key was refused that has served within 24 hours; each further one takes twice as long, up to <see cref="CooldownCap"/>. Default 5 s.</summary>
    public TimeSpan KeyTrial { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>When the first trial comes after a quota was exhausted, without a time from the server; each further one takes twice as long, up to <see cref="CooldownCap"/>. Default 60 s.</summary>
    public TimeSpan QuotaTrial { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>Whether <see cref="FailuresToEject"/> ejects. Default <see cref="RuleMode.Enforce"/>.</summary>
    public RuleMode FailuresRule { get; set; }

    /// <summary>Whether <see cref="ConnectFailuresToEject"/> ejects. Default <see cref="RuleMode.Enforce"/>.</summary>
    public RuleMode ConnectFailuresRule { get; set; }

    /// <summary>Whether <see cref="FailureRatio"/> ejects. Default <see cref="RuleMode.Enforce"/>.</summary>
    public RuleMode FailureRatioRule { get; set; }

    /// <summary>Whether missed heartbeats eject (<see cref="MissesToEject"/>). Default <see cref="RuleMode.Enforce"/>.</summary>
    public RuleMode HeartbeatsRule { get; set; }

    /// <summary>Whether refusals of calls that another endpoint then served eject, <see cref="FailuresToEject"/> of them in a row, for at most 30 s. Default <see cref="RuleMode.Enforce"/>.</summary>
    public RuleMode RefusalsRule { get; set; }

    /// <summary>Whether a refused key takes out all endpoints that use it. Default <see cref="RuleMode.Enforce"/>.</summary>
    public RuleMode KeyRule { get; set; }

    /// <summary>Whether an exhausted quota takes out all endpoints of the account. Default <see cref="RuleMode.Enforce"/>.</summary>
    public RuleMode QuotaRule { get; set; }

    /// <summary>Our own first cooldown where a throttling server says nothing; each further one is twice the last. Default 1 s.</summary>
    public TimeSpan ThrottleCooldown { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>The longest cooldown of our own. Default 60 s.</summary>
    public TimeSpan MaxThrottleCooldown { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>How long a returning endpoint's share grows. Default 30 s; zero for no ramp.</summary>
    public TimeSpan SlowStartDuration { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>The share of its weight with which a returning endpoint starts. Default 0.1, above 0 and at most 1.</summary>
    public double SlowStartInitialShare { get; set; } = 0.1;

    /// <summary>Failed probes in a row that eject. Default 3, at least 1.</summary>
    public int MissesToEject { get; set; } = 3;

    /// <summary>Successful probes in a row, of the level that failed, that bring an ejected endpoint back. Default 2, at least 1.</summary>
    public int HitsToRecover { get; set; } = 2;

    /// <summary>Connecting that fails everywhere within this time is our own fault and ejects no one. Default 1 s.</summary>
    public TimeSpan SelfSuspicion { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Our own timers may be this late before what happened meanwhile stops counting. Default 2 s.</summary>
    public TimeSpan LateTimers { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>After such a pause, timeouts and failures to connect eject no one for this long. Default 5 s.</summary>
    public TimeSpan PauseGrace { get; set; } = TimeSpan.FromSeconds(5);

    // Ten years. Doubled and added to the pool's time it stays a time.
    private static readonly TimeSpan s_longest = TimeSpan.FromDays(3650);

    internal HealthOptions Copy() => (HealthOptions)MemberwiseClone();

    internal IEnumerable<string> Validate(string path)
    {
        foreach (var (setting, count) in new[]
        {
            (nameof(ConnectFailuresToEject), ConnectFailuresToEject), (nameof(FailuresToEject), FailuresToEject),
            (nameof(MinimumThroughput), MinimumThroughput), (nameof(MissesToEject), MissesToEject), (nameof(HitsToRecover), HitsToRecover),
        })
        {
            if (count < 1)
                yield return $"{path}:{setting} is {count}: at least 1 is needed.";
        }

        foreach (var (setting, time, least) in new[]
        {
            (nameof(SamplingDuration), SamplingDuration, TimeSpan.FromMilliseconds(10)), (nameof(BreakDuration), BreakDuration, TimeSpan.FromTicks(1)),
            (nameof(MaxBreakDuration), MaxBreakDuration, BreakDuration), (nameof(EjectionMemory), EjectionMemory, TimeSpan.FromTicks(1)),
            (nameof(TrialTimeout), TrialTimeout, TimeSpan.FromTicks(1)), (nameof(CooldownCap), CooldownCap, TimeSpan.FromTicks(1)),
            (nameof(KeyTrial), KeyTrial, TimeSpan.FromTicks(1)), (nameof(QuotaTrial), QuotaTrial, TimeSpan.FromTicks(1)),
            (nameof(ThrottleCooldown), ThrottleCooldown, TimeSpan.FromTicks(1)), (nameof(MaxThrottleCooldown), MaxThrottleCooldown, ThrottleCooldown),
            (nameof(SlowStartDuration), SlowStartDuration, TimeSpan.Zero), (nameof(SelfSuspicion), SelfSuspicion, TimeSpan.Zero),
            (nameof(LateTimers), LateTimers, TimeSpan.FromTicks(1)), (nameof(PauseGrace), PauseGrace, TimeSpan.Zero),
        })
        {
            if (time < least)
                yield return $"{path}:{setting} is {time}: at least {least} is needed.";
            else if (time > s_longest)
                yield return $"{path}:{setting} is {time}: at most {s_longest} is possible.";
        }

        if (!(FailureRatio is > 0 and <= 1))
            yield return $"{path}:{nameof(FailureRatio)} is {FailureRatio}: above 0 and at most 1 is needed.";
        if (!(BreakJitter is >= 0 and < 1))
            yield return $"{path}:{nameof(BreakJitter)} is {BreakJitter}: from 0 to below 1 is needed.";
        if (!(SlowStartInitialShare is > 0 and <= 1))
            yield return $"{path}:{nameof(SlowStartInitialShare)} is {SlowStartInitialShare}: above 0 and at most 1 is needed.";
    }

    /// <summary>The length of the given ejection, without jitter.</summary>
    internal TimeSpan Period(int ejections) => Doubled(BreakDuration, ejections, MaxBreakDuration);

    /// <summary>How long after its refusal something that must be cleared is tried again.</summary>
    /// <param name="cause">What was refused.</param>
    /// <param name="hasServed">Has the key served lately? One that never did is wrong, and is tried when the cap has passed.</param>
    /// <param name="times">Which refusal in a row it is.</param>
    internal TimeSpan ClearTrial(Faults.Fault cause, bool hasServed, int times) => cause.Kind switch
    {
        FaultKind.QuotaExhausted => Doubled(QuotaTrial, times, CooldownCap),
        FaultKind.Unauthorized when hasServed => Doubled(KeyTrial, times, CooldownCap),
        _ => CooldownCap,
    };

    /// <summary>The same with rules that report as if they were enforced; null if no rule reports.</summary>
    internal HealthOptions? AsIfEnforced()
    {
        if (!new[] { FailuresRule, ConnectFailuresRule, FailureRatioRule, HeartbeatsRule, RefusalsRule, KeyRule, QuotaRule }.Contains(RuleMode.Report))
            return null;
        var copy = Copy();
        copy.FailuresRule = Enforced(FailuresRule);
        copy.ConnectFailuresRule = Enforced(ConnectFailuresRule);
        copy.FailureRatioRule = Enforced(FailureRatioRule);
        copy.HeartbeatsRule = Enforced(HeartbeatsRule);
        copy.RefusalsRule = Enforced(RefusalsRule);
        copy.KeyRule = Enforced(KeyRule);
        copy.QuotaRule = Enforced(QuotaRule);
        return copy;

        static RuleMode Enforced(RuleMode mode) => mode == RuleMode.Report ? RuleMode.Enforce : mode;
    }

    /// <summary>The length of the given cooldown of our own, without jitter.</summary>
    internal TimeSpan OwnCooldown(int throttles) => Doubled(ThrottleCooldown, throttles, MaxThrottleCooldown);

    // 2^40 times the shortest useful length is beyond any maximum, and far from overflow as a double.
    private static TimeSpan Doubled(TimeSpan first, int times, TimeSpan max) =>
        TimeSpan.FromTicks((long)Math.Min(first.Ticks * Math.Pow(2, Math.Clamp(times - 1, 0, 40)), max.Ticks));
}
