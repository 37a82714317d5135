using HaKit.Faults;

namespace HaKit.Health;

/// <summary>
/// Computes the next health state of an endpoint from the current state and one piece of evidence. It is a pure function, and no other code changes a health
/// state. It returns the same instance if nothing has changed. It applies the elapsed time first, so the result does not depend on how often the state is read.
/// </summary>
internal static class HealthReducer
{
    // The factor on FailuresToEject for the only endpoint that is still admitted (HealthEvidence.IsLast). With this factor the endpoint is ejected only if it
    // fails almost every attempt. FailuresToEject is 5 by default, so this endpoint is ejected after 20 failures in a row. An endpoint that fails 70 % of its
    // attempts has 5 failures in a row about once in 17 attempts, but 20 failures in a row only about once in 4,000 attempts.
    private const long PatienceWithLast = 4;

    public static HealthState Next(HealthState state, in HealthEvidence evidence, TimeSpan now, HealthOptions options)
    {
        state = state.ApplyElapsedTime(now, evidence.Jitter, options);
        var next = Apply(state, evidence, now, options);
        return next.IsUnreachable && state.IsInService && !state.IsUnreachable ? next with { OutSince = now } : next;
    }

    private static HealthState Apply(HealthState state, in HealthEvidence evidence, TimeSpan now, HealthOptions options)
    {
        return evidence.Source switch
        {
            EvidenceSource.Traffic => evidence.Fault is null ? ApplySuccess(state, evidence, now, options) : ApplyFailure(state, evidence, now, options),
            EvidenceSource.Probe => evidence.Fault is null ? ApplyProbeHit(state, evidence, now, options) : ApplyProbeMiss(state, evidence, now, options),
            EvidenceSource.Order => ApplyOrder(state, evidence.Order, now, options),
            EvidenceSource.TrialBegun => state.BeginTrial(evidence.IsOutage, now, options),
            EvidenceSource.TrialSilent => state.Status == EndpointHealthStatus.Trial && evidence.Epoch == state.Epoch ? state.TimeOutTrial(now, evidence.Jitter, options) : state,
            EvidenceSource.TrialElsewhere => state.Postpone(now + options.TrialTimeout),
            EvidenceSource.ClearedElsewhere => state.ClearCooldown(evidence.Began, now, options),
            EvidenceSource.CredentialChanged => ApplyNewCredential(state, now, options),
            EvidenceSource.ServedElsewhere => CountRefusal(state, evidence, now, options),
            EvidenceSource.LeftInSilence => state.IsInService && evidence.Epoch == state.Epoch ? state.Suspect(evidence.Fault!, evidence.Fault!.Level(), now) : state,
            EvidenceSource.SelfSuspicion => ApplySelfSuspicion(state, evidence, now, options),
            EvidenceSource.Peer => state.ApplyPeerFact(evidence, now, options),
            _ => state,
        };
    }

    private static HealthState ApplySuccess(HealthState state, in HealthEvidence evidence, TimeSpan now, HealthOptions options)
    {
        if (evidence.Epoch != state.Epoch)
            return state.IsLateAnswerOfTrial(evidence) ? state.ForgetTrialTimeout().ClearCooldown(evidence.Began, now, options).Recover(now, options) : state;
        if (state.Status == EndpointHealthStatus.Trial)
            return evidence.IsTrial ? state.ClearCooldown(evidence.Began, now, options).Recover(now, options) : state;
        return state.IsInService ? state.ClearFailures(evidence.Began, now) : state;
    }

    private static HealthState ApplyFailure(HealthState state, in HealthEvidence evidence, TimeSpan now, HealthOptions options)
    {
        var fault = evidence.Fault!;
        var isOwn = BelongsToEpoch(state, evidence);
        var isTrialAnswer = isOwn && evidence.IsTrial && state.Status == EndpointHealthStatus.Trial;
        if (fault.IsNeutral)
            return isTrialAnswer ? state.EndUndecidedTrial(fault, now, evidence.Jitter, options) : state;
        if (evidence.IsExcused)
            return ApplyExcusedFailure(state, fault, isOwn, isTrialAnswer, now);

        var next = ApplyCooldown(state, evidence, now, options);
        if (isTrialAnswer)
            return ApplyFailedTrial(next, fault, evidence.Jitter, now, options);
        if (!isOwn || !state.IsInService)
            return next;
        if (fault.IsBreakerWithTime())
            return next.RejectUntil(fault, now, options);
        if (!fault.Counts())
            return next;
        // The trial succeeded with the first content of a stream, but then the stream was cut. So the success of the trial is undone.
        if (evidence.IsTrial && state.Status == EndpointHealthStatus.SlowStart && !evidence.IsLast)
            return next.Eject(fault, fault.Level(), now, evidence.Jitter, options);
        return CountFailure(next, evidence, now, options);
    }

    /// <summary>
    /// Checks whether the attempt began in the endpoint's current epoch. A late result from before an ejection is no evidence about the endpoint's current
    /// state. A fault of another endpoint in the same failure domain is compared by time, because that endpoint has its own epochs.
    /// </summary>
    private static bool BelongsToEpoch(HealthState state, in HealthEvidence evidence) => evidence.IsShared
        ? evidence.Epoch != HealthTicket.NoEpoch && evidence.Began >= state.EpochSince
        : evidence.Epoch == state.Epoch;

    // A pause of this process explains the failure, so the failure is no evidence against the endpoint. But if the attempt was the trial, the trial must end,
    // so that the next trial can begin.
    private static HealthState ApplyExcusedFailure(HealthState state, Fault fault, bool isOwn, bool isTrialAnswer, TimeSpan now)
    {
        if (isTrialAnswer)
            return state.CancelTrial(now);
        return isOwn ? state.ExcuseFailure(fault, now) : state;
    }

    private static HealthState ApplyFailedTrial(HealthState state, Fault fault, double jitter, TimeSpan now, HealthOptions options)
    {
        if (fault.IsBreakerWithTime())
            return state.RejectUntil(fault, now, options);
        return fault.Counts() ? state.FailTrial(fault, now, jitter, options) : state.CancelTrial(now);
    }

    /// <summary>Counts one more consecutive failure, and ejects the endpoint if its consecutive failures or its failure ratio require this.</summary>
    private static HealthState CountFailure(HealthState state, in HealthEvidence evidence, TimeSpan now, HealthOptions options)
    {
        var fault = evidence.Fault!;
        var streak = FailureStreak.After(state, evidence);
        // The probe level must be high enough to disprove every failure of the streak, so the highest level of the streak is kept.
        var level = streak.Failures > 1 && state.CauseLevel > fault.Level() ? state.CauseLevel : fault.Level();
        if (!MustEject(streak, evidence, options))
        {
            // Both changes are made in one copy, because this code runs at each failure and a state is large.
            var wasHealthy = state.Status == EndpointHealthStatus.Healthy;
            return state with
            {
                Status = wasHealthy ? EndpointHealthStatus.Suspect : state.Status,
                Since = wasHealthy ? now : state.Since,
                Cause = fault,
                CauseLevel = level,
                ConsecutiveFailures = streak.Failures,
                ConnectFailures = streak.Connects,
                UnansweredFailures = streak.Unanswered,
                StreakFrom = streak.From,
                IsSpared = evidence.IsLast,
                ConnectsNowhere = evidence.IsNetworkSuspect || state.ConnectsNowhere && fault.IsConnectClass,
            };
        }

        return evidence.IsNetworkSuspect ? state.Suspect(fault, level, now) with { ConnectsNowhere = true } : state.Eject(fault, level, now, evidence.Jitter, options);
    }

    /// <summary>
    /// Decides whether the endpoint is ejected. The usual measures are a number of failures in a row, a number of failures to connect in a row, and a ratio
    /// of failures in the sampling window. The only admitted endpoint is ejected late: an endpoint that serves only some calls is better than no endpoint. It
    /// is ejected only after four times as many failures in a row, never by its ratio. If it does not answer at all, the usual numbers of failures in a row apply.
    /// </summary>
    private static bool MustEject(in FailureStreak streak, in HealthEvidence evidence, HealthOptions options) =>
        options.FailuresRule == RuleMode.Enforce && IsStreakTooLong(streak, evidence.IsLast, options)
        || options.ConnectFailuresRule == RuleMode.Enforce && streak.Connects >= options.ConnectFailuresToEject
        || options.FailureRatioRule == RuleMode.Enforce && !evidence.IsLast && IsRatioTooHigh(streak, evidence, options);

    private static bool IsStreakTooLong(in FailureStreak streak, bool isLast, HealthOptions options)
    {
        var patience = isLast ? PatienceWithLast : 1;
        // A failing attempt often ends sooner than a successful attempt, so the first results of a busy endpoint may all be failures. The attempts that began
        // during the streak and are still running may succeed. So the streak must be at least as long as the number of these attempts. For the only
        // endpoint that is still admitted, it must be four times as long.
        if (streak.Failures >= patience * options.FailuresToEject && streak.Failures >= patience * streak.UnderWay)
            return true;
        return isLast && streak.Unanswered >= options.FailuresToEject;
    }

    private static bool IsRatioTooHigh(in FailureStreak streak, in HealthEvidence evidence, HealthOptions options) =>
        evidence.Samples >= options.MinimumThroughput && evidence.Failures >= options.FailureRatio * (evidence.Samples + streak.InFlight);

    /// <summary>Counts the consecutive failures, including the latest one.</summary>
    /// <param name="Failures">The number of all failures.</param>
    /// <param name="Connects">The number of failures to connect; 0 after a failure of another kind.</param>
    /// <param name="Unanswered">The number of failures without an answer: failures to connect and silences. 0 after a failure that the server answered.</param>
    /// <param name="From">The number of attempts that had begun on the endpoint when the streak began. Null if attempts are not counted.</param>
    /// <param name="InFlight">The number of running attempts that may disprove the failure. 0 after a silence, because the running attempts are then probably
    /// silent too.</param>
    /// <param name="UnderWay">The estimated number of attempts that began during the streak and are still running: the attempts that began, minus the failures.
    /// Attempts that their callers cancelled are no failures, so this difference may be too large. InFlight is its upper limit.</param>
    private readonly record struct FailureStreak(int Failures, int Connects, int Unanswered, long? From, int InFlight, long UnderWay)
    {
        public static FailureStreak After(HealthState state, in HealthEvidence evidence)
        {
            var fault = evidence.Fault!;
            // A silence is recorded only when its time limit passes. If many attempts begin at the same time and a few of them stay silent, these few reach
            // their limits together and look like a streak. If the endpoint has served a later attempt by then, these silences count in the failure ratio, but
            // not in the streak. The same applies to connections that were not made in time.
            var isRefuted = fault.IsSilence() && evidence.HasServedLater;
            var counted = isRefuted ? 0 : 1;
            var failures = state.ConsecutiveFailures + counted;
            var isUnanswered = fault.IsConnectClass || fault.IsSilence();
            var from = (failures > 1 ? state.StreakFrom : null) ?? evidence.Begun;
            var inFlight = fault.IsSilence() ? 0 : evidence.InFlight;
            return new(
                failures,
                fault.IsConnectClass ? state.ConnectFailures + counted : 0,
                isUnanswered ? state.UnansweredFailures + counted : 0,
                from,
                inFlight,
                Math.Clamp((evidence.Begun - from ?? 0) - failures + 1, 0, inFlight));
        }
    }

    // A bad request of one caller must not take an endpoint away from other callers. So a refusal counts only if another endpoint then served the same call.
    // After enough such refusals in a row (FailuresToEject), the endpoint is ejected for a short time. Refusals never eject the only endpoint that is still
    // admitted, and the refusals of one endpoint never take out the other endpoints of its key or account.
    private static HealthState CountRefusal(HealthState state, in HealthEvidence evidence, TimeSpan now, HealthOptions options)
    {
        var fault = evidence.Fault!;
        if (state.IsOutForRefusals && state.Status == EndpointHealthStatus.Ejected && evidence.Began > state.JudgedAt)
            return state.EjectForRefusals(fault, now, evidence.Jitter, options); // the trial has failed: another endpoint served the call that the trial refused
        if (!state.IsInService || evidence.Began < state.EpochSince)
            return state;
        var next = state with { Refusals = state.Refusals + 1 };
        return next.Refusals >= options.FailuresToEject && !evidence.IsLast && options.RefusalsRule == RuleMode.Enforce ? next.EjectForRefusals(fault, now, evidence.Jitter, options) : next;
    }

    private static HealthState ApplyCooldown(HealthState state, in HealthEvidence evidence, TimeSpan now, HealthOptions options)
    {
        var fault = evidence.Fault!;
        if (fault.IsUntilCleared())
        {
            if (!IsEnforced(fault, options))
                return state;
            var isOld = evidence.Began < state.ClearedAt
                || (state.Cooldown is { IsUntilCleared: true } running && evidence.Began <= running.Since);
            if (isOld)
                return state;
            var refusals = state.Cooldown is { IsUntilCleared: true } ? state.ClearRefusals + 1 : 1;
            return state.Cool(Cooldown.UntilCleared(fault, options.TrialDelay(fault, evidence.HasServedLately, refusals), now)) with { ClearRefusals = refusals };
        }

        if (fault.HasRetryAfter())
        {
            // A burst of answers with a Retry-After counts as one answer: an answer that arrives during a cooldown does not increase NamedTimes.
            var isNext = !state.IsCooling(now);
            var times = state.NamedTimes + (isNext ? 1 : 0);
            return state.Cool(Cooldown.For(fault, Cooldown.Stretched(fault.Wait(), times, options.ThrottleCooldown), now, options)) with { NamedTimes = times, NamedAt = isNext ? now : state.NamedAt };
        }
        return fault.Blame == FaultBlame.Throttle || fault.Kind == FaultKind.BreakerOpen ? ApplyThrottleWithoutTime(state, evidence, now, options) : state;
    }

    private static HealthState ApplyThrottleWithoutTime(HealthState state, in HealthEvidence evidence, TimeSpan now, HealthOptions options)
    {
        // A burst of throttles counts as one throttle: only an attempt that began after the latest throttle makes the cooldown longer.
        if (state.ThrottledAt is { } last && evidence.Began <= last)
            return state;
        var isEarly = evidence.IsTrial && state.IsInEarlyTrial(now);
        var throttles = isEarly ? state.Throttles : state.Throttles + 1;
        var length = options.OwnCooldown(isEarly ? 1 : throttles) * (1 - options.BreakJitter * evidence.Jitter);
        return state.Cool(Cooldown.OwnFor(evidence.Fault!, length, now, options)) with { Throttles = throttles, ThrottledAt = now };
    }

    // A new credential may belong to another account, so the exhausted quota of the old account no longer counts. But if the server has named the time at which
    // the quota is restored, and the account is the same, a request before this time would be too early.
    private static HealthState ApplyNewCredential(HealthState state, TimeSpan now, HealthOptions options) =>
        state.Cooldown is { Cause.Kind: FaultKind.Unauthorized } or { IsUntilCleared: true, Cause.Kind: FaultKind.QuotaExhausted }
            ? state.ClearCooldown(TimeSpan.MaxValue, now, options, isShort: true)
            : state;

    private static bool IsEnforced(Fault fault, HealthOptions options) => fault.Kind switch
    {
        FaultKind.Unauthorized => options.KeyRule == RuleMode.Enforce,
        FaultKind.QuotaExhausted => options.QuotaRule == RuleMode.Enforce,
        _ => true,
    };

    private static HealthState ApplyProbeHit(HealthState state, in HealthEvidence evidence, TimeSpan now, HealthOptions options)
    {
        var level = evidence.Level;
        if (state.Cooldown is { IsClearable: true } cooldown && level >= cooldown.Cause.Level() && state.Status != EndpointHealthStatus.Trial)
            state = state.ClearCooldown(TimeSpan.MaxValue, now, options);
        if (state.IsInService)
        {
            if (level >= state.CauseLevel)
                return state.ClearFailuresByProbe(level, now);
            // The probe's level is too low to disprove the failures of calls. But the probe has connected, so it ends the failures to connect and the missed
            // heartbeats.
            return (state.ConnectFailures | state.ProbeMisses) == 0 && !state.ConnectsNowhere ? state : state with { ConnectFailures = 0, ProbeMisses = 0, ConnectsNowhere = false };
        }

        if (state.Status != EndpointHealthStatus.Ejected || level < state.CauseLevel)
            return state;
        var hits = evidence.IsDecisive ? options.HitsToRecover : state.ProbeHits + 1;
        return hits >= options.HitsToRecover ? state.Recover(now, options) with { IsBackByProbe = true } : state with { ProbeHits = hits };
    }

    private static HealthState ApplyProbeMiss(HealthState state, in HealthEvidence evidence, TimeSpan now, HealthOptions options)
    {
        var fault = evidence.Fault!;
        if (fault.IsNeutral)
            return state;
        if (evidence.IsExcused)
            return state.ExcuseFailure(fault, now);
        // A probe that only connects has not tested the key or the quota, even if the server's answer mentions them.
        if (fault.IsUntilCleared() && fault.Level() > evidence.Level)
            return state;
        var next = ApplyCooldown(state, evidence, now, options);
        if (!fault.Counts())
            return next;
        if (state.Status == EndpointHealthStatus.Ejected)
            return next.ProbeHits == 0 ? next : next with { ProbeHits = 0 };
        if (!state.IsInService)
            return next;

        // If a probe finds a fault, a later success of the same probe must disprove the fault. So the fault requires at most the level of this probe, even if
        // faults of its kind usually require a higher level. An earlier failure of the same streak may still require a higher level.
        var level = fault.Level() < evidence.Level ? fault.Level() : evidence.Level;
        if (state.ConsecutiveFailures > 0 && state.CauseLevel > level)
            level = state.CauseLevel;
        var misses = evidence.IsDecisive ? options.MissesToEject : state.ProbeMisses + 1;
        if (misses >= options.MissesToEject && options.HeartbeatsRule == RuleMode.Enforce)
        {
            return evidence.IsNetworkSuspect
                ? next.Suspect(fault, level, now) with { ConnectsNowhere = true }
                : next.Eject(fault, level, now, evidence.Jitter, options, byProbe: true);
        }

        var suspect = next.Suspect(fault, level, now);
        return suspect with { ProbeMisses = misses, AreMissesOnlyCounted = options.HeartbeatsRule != RuleMode.Enforce, ConnectsNowhere = evidence.IsNetworkSuspect || suspect.ConnectsNowhere };
    }

    private static HealthState ApplyOrder(HealthState state, HealthOrder order, TimeSpan now, HealthOptions options)
    {
        switch (order)
        {
            case HealthOrder.Drain:
                return state.TakeOut(EndpointHealthStatus.Draining, now);
            case HealthOrder.ForceDown:
                return state.TakeOut(EndpointHealthStatus.ForcedDown, now);
        }

        if (state.Cooldown is { IsClearable: true })
            state = state.ClearCooldown(TimeSpan.MaxValue, now, options);
        if (state.IsInService)
            return state.ClearFailures(now, now);
        return state.Recover(now, options) with { Epoch = state.Epoch + 1, EpochSince = now };
    }

    private static HealthState ApplySelfSuspicion(HealthState state, in HealthEvidence evidence, TimeSpan now, HealthOptions options)
    {
        if (state.Status == EndpointHealthStatus.Trial)
            return state.ExtendTrial(now + options.PauseGrace);
        if (state.Status != EndpointHealthStatus.Ejected)
            return state.Cause is { } doubtful && doubtful.MayBeOurPause() ? state.ExcuseFailure(doubtful, now) : state;
        if (state.Cause is not { } cause || !cause.MayBeOurPause() || !(state.JudgedAt >= now - evidence.Length))
            return state;
        var back = state.UndoEjection(now);
        // If this machine's network may be at fault, the ejection is only postponed: the count is set to one less than the limit, so the next failure to
        // connect ejects the endpoint, unless a success comes first. If a pause of this process explains the ejection, the ejection is cancelled and the count
        // is 0.
        var counts = evidence.IsNetworkSuspect ? Math.Max(0, options.ConnectFailuresToEject - 1) : 0;
        return back.IsInService ? back with { ConsecutiveFailures = counts, ConnectFailures = counts, ConnectsNowhere = evidence.IsNetworkSuspect } : back;
    }
}
