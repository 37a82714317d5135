namespace HaKit.Health;

/// <summary>
/// Sets when an endpoint is taken out of service and how it comes back. Times are durations on the monotonic clock, at most 10 years each. Not thread-safe; read at
/// start-up and at each reload. After a reload the endpoints keep their state.
/// </summary>
public sealed class HealthOptions
{
    /// <summary>Gets or sets how many failures to connect in a row (connection, DNS, TLS) eject an endpoint. Default 3; at least 1.</summary>
    public int ConnectFailuresToEject { get; set; } = 3;

    /// <summary>
    /// Gets or sets how many failures of any kind in a row eject an endpoint. The only endpoint of the pool that is still admitted is ejected after four times
    /// as many failures in a row. If it does not answer at all (silences and failures to connect), the usual number applies. Default 5; at least 1.
    /// </summary>
    public int FailuresToEject { get; set; } = 5;

    /// <summary>
    /// Gets or sets the share of failures within <see cref="SamplingDuration"/> that ejects an endpoint. It does not apply to the only endpoint of the pool that
    /// is still admitted. Default 0.5; above 0, at most 1.
    /// </summary>
    public double FailureRatio { get; set; } = 0.5;

    /// <summary>
    /// Gets or sets the number of attempts within <see cref="SamplingDuration"/> below which <see cref="FailureRatio"/> does not apply. Default 10; at least
    /// 1.
    /// </summary>
    public int MinimumThroughput { get; set; } = 10;

    /// <summary>Gets or sets the window of <see cref="FailureRatio"/>, kept in ten buckets. Default 30 s; at least 10 ms.</summary>
    public TimeSpan SamplingDuration { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Gets or sets the length of the first ejection. Each further ejection lasts twice as long. Default 5 s; more than 0.</summary>
    public TimeSpan BreakDuration { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Gets or sets the longest ejection, before jitter. A call that must not be repeated makes a half-open trial only after the trial has been due for this time.
    /// Default 300 s; at least <see cref="BreakDuration"/>.
    /// </summary>
    public TimeSpan MaxBreakDuration { get; set; } = TimeSpan.FromSeconds(300);

    /// <summary>
    /// Gets or sets the jitter of the length of an ejection: 0.2 varies the length at random by up to 20 % in both directions. Default 0.2; from 0 to below 1.
    /// </summary>
    public double BreakJitter { get; set; } = 0.2;

    /// <summary>
    /// Gets or sets how long an endpoint must stay healthy before the pool forgets one of its earlier ejections. A forgotten ejection no longer doubles the
    /// length of the next ejection. Default 300 s; more than 0.
    /// </summary>
    public TimeSpan EjectionMemory { get; set; } = TimeSpan.FromSeconds(300);

    /// <summary>
    /// Gets or sets the deadline of a half-open trial. A trial that is not answered within this time counts as failed, and the next trial may begin. If the
    /// answer comes later, it still brings the endpoint back, unless another result has changed the endpoint's state by then. Default 30 s; more than 0.
    /// </summary>
    public TimeSpan TrialTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Gets or sets the longest time in which an endpoint gets no request because of its <c>Retry-After</c>. If the <c>Retry-After</c> is longer, the endpoint
    /// gets only trials after this time, one at a time, until a trial succeeds or the <c>Retry-After</c> has passed. Default 1 h; more than 0.
    /// </summary>
    public TimeSpan CooldownCap { get; set; } = TimeSpan.FromHours(1);

    /// <summary>
    /// Gets or sets the wait before the first trial after a refused key, if the key has served a call within the last 24 hours. The wait doubles with each
    /// further refusal, up to <see cref="CooldownCap"/>. Default 5 s; more than 0.
    /// </summary>
    public TimeSpan KeyTrial { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Gets or sets the wait before the first trial after an exhausted quota, if the server names no time. The wait doubles with each further refusal, up to
    /// <see cref="CooldownCap"/>. Default 60 s; more than 0.
    /// </summary>
    public TimeSpan QuotaTrial { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>Gets or sets whether <see cref="FailuresToEject"/> ejects. Default <see cref="RuleMode.Enforce"/>.</summary>
    public RuleMode FailuresRule { get; set; }

    /// <summary>Gets or sets whether <see cref="ConnectFailuresToEject"/> ejects. Default <see cref="RuleMode.Enforce"/>.</summary>
    public RuleMode ConnectFailuresRule { get; set; }

    /// <summary>Gets or sets whether <see cref="FailureRatio"/> ejects. Default <see cref="RuleMode.Enforce"/>.</summary>
    public RuleMode FailureRatioRule { get; set; }

    /// <summary>
    /// Gets or sets whether missed heartbeats eject (<see cref="MissesToEject"/>). If not, missed heartbeats alone are no outage either. Default <see
    /// cref="RuleMode.Enforce"/>.
    /// </summary>
    public RuleMode HeartbeatsRule { get; set; }

    /// <summary>
    /// Gets or sets whether refusals eject. The rule ejects an endpoint for at most 30 s if it refused <see cref="FailuresToEject"/> calls in a row and another
    /// endpoint then served each of these calls. Default <see cref="RuleMode.Enforce"/>.
    /// </summary>
    public RuleMode RefusalsRule { get; set; }

    /// <summary>Gets or sets whether a refused key takes out all endpoints that use it. Default <see cref="RuleMode.Enforce"/>.</summary>
    public RuleMode KeyRule { get; set; }

    /// <summary>Gets or sets whether an exhausted quota takes out all endpoints of the account. Default <see cref="RuleMode.Enforce"/>.</summary>
    public RuleMode QuotaRule { get; set; }

    /// <summary>
    /// Gets or sets the first cooldown after a throttle (429) without a <c>Retry-After</c>. Each further cooldown lasts twice as long. While no endpoint can serve, a
    /// trial may come this time after the latest throttle. Default 1 s; more than 0.
    /// </summary>
    public TimeSpan ThrottleCooldown { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Gets or sets the longest cooldown after throttles without a <c>Retry-After</c>. Default 60 s; at least <see cref="ThrottleCooldown"/>.</summary>
    public TimeSpan MaxThrottleCooldown { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// Gets or sets the length of the slow start, during which the share of a returning endpoint grows to its full weight. Default 30 s; 0: no slow start.
    /// </summary>
    public TimeSpan SlowStartDuration { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Gets or sets the share of its weight that a returning endpoint has at the beginning of its slow start. Default 0.1; above 0, at most 1.
    /// </summary>
    public double SlowStartInitialShare { get; set; } = 0.1;

    /// <summary>Gets or sets how many failed probes in a row eject an endpoint. Default 3; at least 1.</summary>
    public int MissesToEject { get; set; } = 3;

    /// <summary>
    /// Gets or sets how many successful probes in a row bring an ejected endpoint back. A probe that does not test the part that failed does not count. Default
    /// 2; at least 1.
    /// </summary>
    public int HitsToRecover { get; set; } = 2;

    /// <summary>
    /// Gets or sets the window for the check of this machine's network. If connecting fails at every endpoint in use (at least two) within a window of this
    /// length, the pool suspects the network of this machine and ejects no endpoint. Default 1 s; at least 0.
    /// </summary>
    public TimeSpan SelfSuspicion { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Gets or sets how late the timers of this process may be. If a timer is later, the process was paused, and faults that the pause can explain do not
    /// count. Default 2 s; at least 10 ms.
    /// </summary>
    public TimeSpan LateTimers { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// Gets or sets the time after a pause of this process (see <see cref="LateTimers"/>) in which timeouts and failures to connect eject no endpoint. Default
    /// 5 s; at least 0.
    /// </summary>
    public TimeSpan PauseGrace { get; set; } = TimeSpan.FromSeconds(5);

    internal HealthOptions Copy() => (HealthOptions)MemberwiseClone();

    // If MaxBreakDuration is shorter than BreakDuration, either of them may be the mistake, and the configuration may contain only BreakDuration. So the message
    // about MaxBreakDuration names both settings. The same applies to MaxThrottleCooldown and ThrottleCooldown.
    private static string HintAtFirstPeriod(string setting, TimeSpan time, TimeSpan least) => setting switch
    {
        nameof(MaxBreakDuration) when time < least => $" {nameof(BreakDuration)} is {DurationText.OfSetting(least)}: make it shorter, or raise {setting} too.",
        nameof(MaxThrottleCooldown) when time < least => $" {nameof(ThrottleCooldown)} is {DurationText.OfSetting(least)}: make it shorter, or raise {setting} too.",
        _ => "",
    };

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
            (nameof(LateTimers), LateTimers, TimeSpan.FromMilliseconds(10)), (nameof(PauseGrace), PauseGrace, TimeSpan.Zero),
        })
        {
            var mistake = least.Ticks == 1 ? SettingRange.FindAboveZero($"{path}:{setting}", time) : SettingRange.Find($"{path}:{setting}", time, least);
            if (mistake is not null)
                yield return mistake + HintAtFirstPeriod(setting, time, least);
        }

        foreach (var (setting, rule) in new[]
        {
            (nameof(FailuresRule), FailuresRule), (nameof(ConnectFailuresRule), ConnectFailuresRule), (nameof(FailureRatioRule), FailureRatioRule), (nameof(HeartbeatsRule), HeartbeatsRule),
            (nameof(RefusalsRule), RefusalsRule), (nameof(KeyRule), KeyRule), (nameof(QuotaRule), QuotaRule),
        })
        {
            if (!Enum.IsDefined(rule))
                yield return $"{path}:{setting} is {(int)rule}: one of {string.Join(", ", Enum.GetNames<RuleMode>())} is needed.";
        }

        if (SettingRange.FindAboveZero($"{path}:{nameof(FailureRatio)}", FailureRatio, 1) is { } ratio)
            yield return ratio;
        if (!(BreakJitter is >= 0 and < 1))
            yield return FormattableString.Invariant($"{path}:{nameof(BreakJitter)} is {BreakJitter}: from 0 to below 1 is needed.");
        if (SettingRange.FindAboveZero($"{path}:{nameof(SlowStartInitialShare)}", SlowStartInitialShare, 1) is { } share)
            yield return share;
    }

    /// <summary>Gets the length of the given ejection, without jitter.</summary>
    internal TimeSpan Period(int ejections) => Doubled(BreakDuration, ejections, MaxBreakDuration);

    /// <summary>Gets the wait from a refusal of a key or quota to the next trial.</summary>
    /// <param name="cause">The refusal.</param>
    /// <param name="hasServed">
    /// True if the key has served recently. A key that never served is probably wrong, so its first trial comes only after <see cref="CooldownCap"/>.
    /// </param>
    /// <param name="times">The number of refusals in a row.</param>
    internal TimeSpan TrialDelay(Faults.Fault cause, bool hasServed, int times) => cause.Kind switch
    {
        FaultKind.QuotaExhausted => Doubled(QuotaTrial, times, CooldownCap),
        FaultKind.Unauthorized when hasServed => Doubled(KeyTrial, times, CooldownCap),
        _ => CooldownCap,
    };

    /// <summary>Gets a copy of the options in which every rule in report mode is enforced. Null if no rule is in report mode.</summary>
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

    /// <summary>Gets the length of a cooldown after a throttle without a <c>Retry-After</c>, before jitter.</summary>
    internal TimeSpan OwnCooldown(int throttles) => Doubled(ThrottleCooldown, throttles, MaxThrottleCooldown);

    // The length doubles at most 40 times: even 1 ms is then longer than the longest allowed maximum (10 years).
    private static TimeSpan Doubled(TimeSpan first, int times, TimeSpan max) =>
        TimeSpan.FromTicks((long)Math.Min(first.Ticks * Math.Pow(2, Math.Clamp(times - 1, 0, 40)), max.Ticks));
}
