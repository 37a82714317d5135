using HaKit.Faults;

namespace HaKit.Health;

/// <summary>Contains the transitions between states. Each transition also clears the data that would be wrong in the new state.</summary>
internal static class HealthTransitions
{
    private static readonly TimeSpan LongestForRefusals = TimeSpan.FromSeconds(30);

    // Provisional refusals raise ClearRefusals to at most this number. Otherwise the wait after a later refusal of the credential would be too long.
    private const int MostProvisional = 3;

    private static readonly Fault TrialUnanswered = new(FaultKind.FirstContentTimeout);

    /// <summary>Applies the elapsed time: ends trials, cooldowns and slow starts.</summary>
    public static HealthState ApplyElapsedTime(this HealthState state, TimeSpan now, double jitter, HealthOptions options)
    {
        if (state.Status == EndpointHealthStatus.Trial && now >= state.TrialUntil)
            state = state.TimeOutTrial(now, jitter, options);
        if (state.Cooldown is { } cooldown && now >= cooldown.Until)
            state = state.IsInService ? state.Reenter(cooldown.Return, cooldown.Cause, now) : state with { Cooldown = null };
        if (state.Status == EndpointHealthStatus.SlowStart && now >= state.Return.Until)
            state = state.ReturnToService(now);
        return state;
    }

    /// <summary>Ends a trial that has not been answered in time. A late answer still brings the endpoint back.</summary>
    public static HealthState TimeOutTrial(this HealthState state, TimeSpan now, double jitter, HealthOptions options) => state.FailTrial(TrialUnanswered, now, jitter, options);

    public static HealthState Suspect(this HealthState state, Fault cause, ProbeLevel level, TimeSpan now) => state with
    {
        Status = state.Status == EndpointHealthStatus.Healthy ? EndpointHealthStatus.Suspect : state.Status,
        Since = state.Status == EndpointHealthStatus.Healthy ? now : state.Since,
        Cause = cause,
        CauseLevel = level,
        ConnectsNowhere = state.ConnectsNowhere && cause.IsConnectClass,
    };

    /// <summary>
    /// Records a successful probe that disproves the latest failure. Throttles, answers with a Retry-After and refusals are answers to requests. So only a
    /// probe that generates content shows that they are over.
    /// </summary>
    public static HealthState ClearFailuresByProbe(this HealthState state, ProbeLevel level, TimeSpan now)
    {
        if (level >= ProbeLevel.Generating)
            return state.ClearFailures(now, now);
        if ((state.ConsecutiveFailures | state.ProbeMisses) == 0 && state.Status != EndpointHealthStatus.Suspect && !state.ConnectsNowhere)
            return state;
        // With TimeSpan.MinValue, the probe counts as older than each throttle and each answer with a Retry-After.
        return state.ClearFailures(TimeSpan.MinValue, now) with { Refusals = state.Refusals };
    }

    /// <summary>Records a success: all consecutive failures are cleared.</summary>
    public static HealthState ClearFailures(this HealthState state, TimeSpan began, TimeSpan now)
    {
        // Attempts that were in flight when the server throttled do not show whether the throttle is over.
        var throttles = state.ThrottledAt is { } last && began > last ? 0 : state.Throttles;
        var named = state.NamedAt is { } at && began > at ? 0 : state.NamedTimes;
        if (throttles == state.Throttles && named == state.NamedTimes && (state.ConsecutiveFailures | state.ProbeMisses | state.Refusals) == 0
            && state.Status != EndpointHealthStatus.Suspect && !state.ConnectsNowhere)
        {
            return state;
        }

        return state.WithoutCounts() with
        {
            Throttles = throttles,
            NamedTimes = named,
            Status = state.Status == EndpointHealthStatus.Suspect ? EndpointHealthStatus.Healthy : state.Status,
            Since = state.Status == EndpointHealthStatus.Suspect ? now : state.Since,
            Cause = state.Status == EndpointHealthStatus.Suspect ? null : state.Cause,
            CauseLevel = ProbeLevel.Reachable,
        };
    }

    /// <summary>Records a failure for which this machine is probably at fault. The failure does not count, but the endpoint becomes suspect.</summary>
    public static HealthState ExcuseFailure(this HealthState state, Fault cause, TimeSpan now)
    {
        if (!state.IsInService)
            return state;
        if (state.Status != EndpointHealthStatus.Healthy && (state.ConsecutiveFailures | state.ProbeMisses) == 0)
            return state;
        return state.WithoutCounts().Suspect(cause, ProbeLevel.Reachable, now);
    }

    public static HealthState Eject(this HealthState state, Fault cause, ProbeLevel level, TimeSpan now, double jitter, HealthOptions options, bool byProbe = false)
    {
        var ejections = state.CountRememberedEjections(now, options) + 1;
        return state.WithoutCounts() with
        {
            Status = EndpointHealthStatus.Ejected,
            Since = now,
            Cause = cause,
            // A probe has just brought the endpoint back, and a call has failed now. So the probe does not test the broken part, and must not bring the
            // endpoint back again.
            CauseLevel = !byProbe && state.IsBackByProbe && state.Status == EndpointHealthStatus.SlowStart ? ProbeLevel.Generating : level,
            Until = now + Jittered(options.Period(ejections), jitter, options),
            Ejections = ejections,
            JudgedAt = now,
            FailedTrial = state.Status == EndpointHealthStatus.Trial ? state : null,
            IsOutForRefusals = false,
            RecoveredAt = null,
            Epoch = state.Epoch + 1,
            EpochSince = now,
            OutSince = state.FailingSince ?? now,
        };
    }

    /// <summary>
    /// Ejects an endpoint that refuses calls although another endpoint serves them. The ejection is always short, because the requests themselves may be the
    /// reason.
    /// </summary>
    public static HealthState EjectForRefusals(this HealthState state, Fault cause, TimeSpan now, double jitter, HealthOptions options)
    {
        var ejected = state.Eject(cause, ProbeLevel.Generating, now, jitter, options);
        return ejected with { IsOutForRefusals = true, Until = ejected.Until < now + LongestForRefusals ? ejected.Until : now + LongestForRefusals };
    }

    /// <summary>
    /// Ends a trial that was answered by a refusal. A refusal is neither a success nor a failure, so the next trial may begin. There is one exception: a refusal
    /// may be provisional (<see cref="Fault.IsProvisional"/>), which means that it becomes evidence only if another endpoint serves the same call. After a
    /// provisional refusal, an ejected endpoint gets its next trial only after another ejection period, at most 30 s. Otherwise each call would make a useless trial.
    /// For the same reason, the next trial of a cooldown comes only after a wait that doubles with each refusal, at most 30 s.
    /// </summary>
    public static HealthState EndUndecidedTrial(this HealthState state, Fault refusal, TimeSpan now, double jitter, HealthOptions options)
    {
        var released = state.CancelTrial(now);
        if (!refusal.IsProvisional)
            return released;
        if (released.Cooldown is { } cooldown && now < cooldown.Until)
        {
            var refusals = released.ClearRefusals + 1;
            var wait = options.TrialDelay(cooldown.Cause, hasServed: true, refusals);
            released = released.Postpone(now + (wait < LongestForRefusals ? wait : LongestForRefusals)) with { ClearRefusals = Math.Min(refusals, MostProvisional) };
        }

        if (released.Status != EndpointHealthStatus.Ejected || released.Until > now)
            return released;
        var period = Jittered(options.Period(state.Ejections), jitter, options);
        return released with { Until = now + (period < LongestForRefusals ? period : LongestForRefusals), OwnUntil = null };
    }

    /// <summary>Takes the endpoint out until the time at which a breaker in its own pipeline allows one attempt. No failure is counted.</summary>
    public static HealthState RejectUntil(this HealthState state, Fault cause, TimeSpan now, HealthOptions options)
    {
        var until = now + (cause.Wait() < options.CooldownCap ? cause.Wait() : options.CooldownCap);
        return state.WithoutCounts() with
        {
            Status = EndpointHealthStatus.Ejected,
            Since = now,
            Cause = cause,
            CauseLevel = ProbeLevel.Generating,
            Until = state.Until > until ? state.Until : until,
            JudgedAt = null,
            OutSince = state.FailingSince ?? now,
            Epoch = state.Epoch + 1,
            EpochSince = now,
        };
    }

    public static HealthState BeginTrial(this HealthState state, bool isOutage, TimeSpan now, HealthOptions options) => state with
    {
        Status = EndpointHealthStatus.Trial,
        Since = now,
        TrialUntil = now + options.TrialTimeout,
        IsOutageTrial = isOutage,
        FailedTrial = null, // otherwise each failed trial would keep the states of all failed trials before it
        OutSince = state.FailingSince ?? now, // an endpoint in a cooldown is still in service, and leaves service when its trial begins
        Epoch = state.Epoch + 1,
        EpochSince = now,
    };

    public static HealthState FailTrial(this HealthState state, Fault cause, TimeSpan now, double jitter, HealthOptions options)
    {
        // While no endpoint serves, trials come one at a time with short pauses (OutagePace), many of them before the ejection is over. If each failed trial
        // doubled the ejection, the endpoint would stay out long after it is back.
        if (!state.IsOutageTrial || state.Until is not { } until)
            return state.Eject(cause, cause.Level(), now, jitter, options);
        var isDue = until <= now;
        return state with
        {
            Status = EndpointHealthStatus.Ejected,
            Since = now,
            Cause = cause,
            CauseLevel = cause.Level(),
            Until = isDue ? now + Jittered(options.Period(state.Ejections), jitter, options) : until,
            OwnUntil = isDue ? null : state.OwnUntil,
            ProbeHits = 0,
            JudgedAt = now,
            FailedTrial = state,
            IsOutForRefusals = false, // the endpoint has failed now, so the requests are not the reason
            IsByPeers = false,
            HasRecoveredAtPeer = false,
            Epoch = state.Epoch + 1,
            EpochSince = now,
        };
    }

    /// <summary>
    /// Checks whether the evidence is the answer of a trial that has timed out. Such an answer shows that the endpoint is back but slow. The answer counts even
    /// if the next trial has begun or was silent too. Otherwise an endpoint that always needs longer than the timeout of a trial would stay out for ever. The
    /// answer does not count after another answer, an order or an ejection has changed the state.
    /// </summary>
    public static bool IsLateAnswerOfTrial(this HealthState state, in HealthEvidence evidence) =>
        evidence.IsTrial && state.Cause?.IsSilence() == true && evidence.Began >= state.OutSince && state.Status is EndpointHealthStatus.Ejected or EndpointHealthStatus.Trial;

    /// <summary>Takes back the count of the latest ejection, because the trial that caused it has been answered after all.</summary>
    public static HealthState ForgetTrialTimeout(this HealthState state) =>
        state.FailedTrial is { } trial ? state with { Ejections = trial.Ejections, RecoveredAt = trial.RecoveredAt, FailedTrial = null, JudgedAt = null } : state with { JudgedAt = null };

    /// <summary>Ends a trial without a result: the state is the same as before the trial, and the next trial may begin.</summary>
    public static HealthState CancelTrial(this HealthState state, TimeSpan now)
    {
        if (state.Until is null)
            return state.ReturnToService(now) with { Epoch = state.Epoch + 1, EpochSince = now };
        return state with { Status = EndpointHealthStatus.Ejected, Since = now, Epoch = state.Epoch + 1, EpochSince = now };
    }

    public static HealthState ExtendTrial(this HealthState state, TimeSpan until) =>
        until > state.TrialUntil ? state with { TrialUntil = until } : state;

    /// <summary>
    /// Brings the endpoint back into service with a slow start. RecoveredAt stays: from that time on, the pool forgets earlier ejections step by step. Only an
    /// ejection by this replica clears RecoveredAt. An operator's order, a circuit breaker in the endpoint's own pipeline, an ejection by other replicas and a
    /// successful trial of a cooldown do not.
    /// </summary>
    public static HealthState Recover(this HealthState state, TimeSpan now, HealthOptions options) => state.WithoutCounts() with
    {
        Status = EndpointHealthStatus.SlowStart,
        Since = now,
        Until = null,
        CauseLevel = ProbeLevel.Reachable,
        IsBackByProbe = false,
        NamedTimes = 0,
        Return = new SlowStart(now, now + options.SlowStartDuration, options.SlowStartInitialShare),
    };

    /// <summary>
    /// Undoes an ejection for which this machine is probably at fault: its network, or a pause of this process. The ejection no longer counts. If a trial had
    /// failed, the state is the same as before the trial, and the next trial may begin.
    /// </summary>
    public static HealthState UndoEjection(this HealthState state, TimeSpan now)
    {
        if (state.FailedTrial is { } trial)
            return trial.WithCooldownOf(state).CancelTrial(now) with { JudgedAt = null, Epoch = state.Epoch + 1 };
        var back = (state with { Ejections = Math.Max(state.Ejections - 1, 0), Until = null, JudgedAt = null }).ReturnToService(now);
        return back.Status == EndpointHealthStatus.Healthy
            ? back with { Status = EndpointHealthStatus.Suspect, Cause = state.Cause, CauseLevel = ProbeLevel.Reachable }
            : back;
    }

    public static HealthState TakeOut(this HealthState state, EndpointHealthStatus status, TimeSpan now) => state.Status == status ? state :
        state.WithoutCounts() with
        {
            Status = status,
            Since = now,
            Cause = null,
            CauseLevel = ProbeLevel.Reachable,
            Until = null,
            Epoch = state.Epoch + 1,
            EpochSince = now,
        };

    public static HealthState Cool(this HealthState state, Cooldown added)
    {
        var cooldown = state.Cooldown?.CombineWith(added) ?? added;
        return ReferenceEquals(cooldown, state.Cooldown) ? state : state with { Cooldown = cooldown };
    }

    /// <summary>
    /// Ends a cooldown early, if the success that disproves the cooldown began after the cooldown. A shorter cooldown because of a throttle may run at the same
    /// time (<see cref="Cooldown.Beneath"/>). This shorter cooldown remains if its own trial is not due yet.
    /// </summary>
    /// <param name="state">The state.</param>
    /// <param name="refutedAt">The start of the success. <see cref="TimeSpan.MaxValue"/>: the cooldown ends in any case.</param>
    /// <param name="now">The current time on the pool's clock.</param>
    /// <param name="options">The options.</param>
    /// <param name="isShort">True if the slow start may last only as long as the cooldown did. Otherwise a caller with a wrong key would slow all callers down.</param>
    public static HealthState ClearCooldown(this HealthState state, TimeSpan refutedAt, TimeSpan now, HealthOptions options, bool isShort = false)
    {
        if (state.Cooldown is not { } cooldown || cooldown.Since >= refutedAt)
            return state;
        var cleared = state with { ClearedAt = now, ClearRefusals = 0 };
        if (cooldown.Beneath is { } beneath && now < beneath.TrialAt)
            return cleared with { Cooldown = beneath };
        var length = isShort && now - cooldown.Since < options.SlowStartDuration ? now - cooldown.Since : options.SlowStartDuration;
        var slowStart = new SlowStart(now, now + length, options.SlowStartInitialShare);
        return state.IsInService ? cleared.Reenter(slowStart, cooldown.Cause, now) : cleared with { Cooldown = null, Return = slowStart };
    }

    /// <summary>Postpones the trial, because another endpoint makes the trial for all endpoints that share the cooldown.</summary>
    public static HealthState Postpone(this HealthState state, TimeSpan trialAt)
    {
        if (state.Cooldown is not { } cooldown || cooldown.TrialAt >= trialAt)
            return state;
        return state with { Cooldown = cooldown with { TrialAt = trialAt < cooldown.Until ? trialAt : cooldown.Until } };
    }

    private static HealthState Reenter(this HealthState state, SlowStart slowStart, Fault cause, TimeSpan now) => state with
    {
        Status = EndpointHealthStatus.SlowStart,
        Since = now,
        Cause = state.ConsecutiveFailures + state.ProbeMisses > 0 ? state.Cause : cause,
        Return = state.Status == EndpointHealthStatus.SlowStart ? slowStart.NotBefore(state.Return.Until) : slowStart,
        Cooldown = null,
    };

    /// <summary>
    /// Returns the endpoint to service: to its slow start if that has not ended, as suspect if failures still count, otherwise as healthy. If no slow start is
    /// running, the recovery is complete now. This also applies if an ejection is undone.
    /// </summary>
    private static HealthState ReturnToService(this HealthState state, TimeSpan now)
    {
        if (now < state.Return.Until)
            return state with { Status = EndpointHealthStatus.SlowStart, Since = now };
        state = state with { RecoveredAt = state.RecoveredAt ?? now, IsBackByProbe = false };
        return state.ConsecutiveFailures + state.ProbeMisses > 0
            ? state with { Status = EndpointHealthStatus.Suspect, Since = now }
            : state with { Status = EndpointHealthStatus.Healthy, Since = now, Cause = null, CauseLevel = ProbeLevel.Reachable };
    }

    // The cooldown is independent of the ejection. So if an ejection is undone, the latest cooldown stays.
    private static HealthState WithCooldownOf(this HealthState state, HealthState latest) => state with
    {
        Cooldown = latest.Cooldown,
        ClearedAt = latest.ClearedAt,
        ClearRefusals = latest.ClearRefusals,
        Throttles = latest.Throttles,
        ThrottledAt = latest.ThrottledAt,
        NamedTimes = latest.NamedTimes,
        NamedAt = latest.NamedAt,
        Return = latest.Return,
    };

    internal static HealthState WithoutCounts(this HealthState state) =>
        state with { ConsecutiveFailures = 0, ConnectFailures = 0, UnansweredFailures = 0, ProbeMisses = 0, ProbeHits = 0, Refusals = 0, IsSpared = false, ConnectsNowhere = false, AreMissesOnlyCounted = false, IsByPeers = false, HasRecoveredAtPeer = false, OwnUntil = null };

    // The number of ejections that still count. One ejection is forgotten for each EjectionMemory since the end of the last slow start.
    private static int CountRememberedEjections(this HealthState state, TimeSpan now, HealthOptions options)
    {
        if (state.RecoveredAt is not { } since || options.EjectionMemory <= TimeSpan.Zero)
            return state.Ejections;
        return (int)Math.Max(0, state.Ejections - Math.Floor((now - since) / options.EjectionMemory));
    }

    internal static TimeSpan Jittered(TimeSpan length, double jitter, HealthOptions options) =>
        length * (1 + options.BreakJitter * (2 * jitter - 1));
}
