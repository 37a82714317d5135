using HaKit.Faults;

namespace HaKit.Health;

/// <summary>
/// The single truth about whether an endpoint may be chosen, as a pure function. Returns the same instance when nothing changed.
/// Time is settled first, so the answer does not depend on how often anybody looks.
/// </summary>
internal static class HealthReducer
{
    // The last endpoint that is admitted is put out for refusing only when it refuses everything: so many times the usual row. At seven refusals in ten,
    // five in a row come every 17 attempts and twenty in a row every 4,000.
    private const long LastOnesPatience = 4;

    public static HealthState Next(HealthState state, in HealthEvidence evidence, TimeSpan now, HealthOptions options)
    {
        state = state.Settle(now, evidence.Jitter, options);
        return evidence.Source switch
        {
            EvidenceSource.Traffic => evidence.Fault is null ? Success(state, evidence, now, options) : Failure(state, evidence, now, options),
            EvidenceSource.Probe => evidence.Fault is null ? ProbeHit(state, evidence, now, options) : ProbeMiss(state, evidence, now, options),
            EvidenceSource.Order => Ordered(state, evidence.Order, now, options),
            EvidenceSource.TrialBegun => state.BeginTrial(evidence.IsOutage, now, options),
            EvidenceSource.TrialElsewhere => state.Postpone(now + options.TrialTimeout),
            EvidenceSource.ClearedElsewhere => state.ClearCooldown(evidence.Began, now, options),
            EvidenceSource.CredentialChanged => state.Cooldown is { Cause.Kind: FaultKind.Unauthorized } ? state.ClearCooldown(TimeSpan.MaxValue, now, options) : state,
            EvidenceSource.Refuted => Refuted(state, evidence, now, options),
            EvidenceSource.LeftInSilence => state.IsInService && evidence.Epoch == state.Epoch ? state.Suspect(evidence.Fault!, evidence.Fault!.Level(), now) : state,
            EvidenceSource.SelfSuspicion => SelfSuspicion(state, evidence, now, options),
            EvidenceSource.Peer => state.HearPeers(evidence, now, options),
            _ => state,
        };
    }

    private static HealthState Success(HealthState state, in HealthEvidence evidence, TimeSpan now, HealthOptions options)
    {
        if (evidence.Epoch != state.Epoch) return state;
        if (state.Status == EndpointHealthStatus.Trial)
            return evidence.IsTrial ? state.ClearCooldown(evidence.Began, now, options).Recover(now, options) : state;
        return state.IsInService ? state.Clean(evidence.Began, now) : state;
    }

    private static HealthState Failure(HealthState state, in HealthEvidence evidence, TimeSpan now, HealthOptions options)
    {
        var fault = evidence.Fault!;
        var isOwn = evidence.IsShared
            ? evidence.Epoch != HealthTicket.NoEpoch && evidence.Began >= state.EpochSince
            : evidence.Epoch == state.Epoch;
        var isTrialAnswer = isOwn && evidence.IsTrial && state.Status == EndpointHealthStatus.Trial;
        if (fault.IsNeutral) return isTrialAnswer ? state.Undecided(fault, now, evidence.Jitter, options) : state;
        if (evidence.IsHeld) return isTrialAnswer ? state.Release(now) : isOwn ? state.Hold(fault, now) : state;

        var next = Cool(state, evidence, now, options);
        if (isTrialAnswer)
            return fault.IsBreakerWithTime() ? next.Refuse(fault, now, options)
                : fault.Counts() ? next.FailTrial(fault, now, evidence.Jitter, options)
                : next.Release(now);
        if (!isOwn || !state.IsInService) return next;
        if (fault.IsBreakerWithTime()) return next.Refuse(fault, now, options);
        if (!fault.Counts()) return next;
        // The stream that had answered the trial was cut: the answer is taken back.
        if (evidence.IsTrial && state.Status == EndpointHealthStatus.SlowStart && !evidence.IsLast) return next.Eject(fault, fault.Level(), now, evidence.Jitter, options);
        return Count(next, evidence, now, options);
    }

    private static HealthState Count(HealthState state, in HealthEvidence evidence, TimeSpan now, HealthOptions options)
    {
        var fault = evidence.Fault!;
        var failures = state.ConsecutiveFailures + 1;
        var connects = fault.IsConnectClass ? state.ConnectFailures + 1 : 0;
        var level = failures > 1 && state.CauseLevel > fault.Level() ? state.CauseLevel : fault.Level();
        // Refusals come at once and answers take their time: what has begun since the first of the row was heard of, and has not ended, may still be answered.
        var rowFrom = (failures > 1 ? state.RowFrom : null) ?? evidence.Begun;
        var inFlight = fault.IsSilence() ? 0 : evidence.InFlight;
        // Those that the caller ended are neither failures nor under way.
        var underWay = Math.Clamp((evidence.Begun - rowFrom ?? 0) - failures + 1, 0, inFlight);
        var unanswered = fault.IsConnectClass || fault.IsSilence() ? state.UnansweredFailures + 1 : 0;
        // Who refuses some is worth less than its siblings, and more than nobody. Who does not answer at all is worth nothing.
        var patience = evidence.IsLast ? LastOnesPatience : 1;
        var inARow = (failures >= patience * options.FailuresToEject && failures >= patience * underWay)
            || (evidence.IsLast && unanswered >= options.FailuresToEject);
        var tooMany = (inARow && options.FailuresRule == RuleMode.Enforce)
            || (connects >= options.ConnectFailuresToEject && options.ConnectFailuresRule == RuleMode.Enforce)
            || (!evidence.IsLast && options.FailureRatioRule == RuleMode.Enforce && evidence.Samples >= options.MinimumThroughput && evidence.Failures >= options.FailureRatio * (evidence.Samples + inFlight));
        if (tooMany && evidence.IsDoubtful) return state.Suspect(fault, level, now);
        return tooMany
            ? state.Eject(fault, level, now, evidence.Jitter, options)
            : state.Suspect(fault, level, now) with
            {
                ConsecutiveFailures = failures, ConnectFailures = connects, UnansweredFailures = unanswered, RowFrom = rowFrom, IsSpared = evidence.IsLast,
            };
    }

    // What one caller sends must take no endpoint away from another: so many refusals in a row that another endpoint answered take it out for a short
    // time, never the last one that is admitted, and never its key or account.
    private static HealthState Refuted(HealthState state, in HealthEvidence evidence, TimeSpan now, HealthOptions options)
    {
        var fault = evidence.Fault!;
        if (state.IsOutForRefusals && state.Status == EndpointHealthStatus.Ejected && evidence.Began > state.JudgedAt)
            return state.EjectForRefusals(fault, now, evidence.Jitter, options); // the trial's call was served elsewhere
        if (!state.IsInService || evidence.Began < state.EpochSince) return state;
        var next = state with { Refusals = state.Refusals + 1 };
        return next.Refusals >= options.FailuresToEject && !evidence.IsLast && options.RefusalsRule == RuleMode.Enforce ? next.EjectForRefusals(fault, now, evidence.Jitter, options) : next;
    }

    private static HealthState Cool(HealthState state, in HealthEvidence evidence, TimeSpan now, HealthOptions options)
    {
        var fault = evidence.Fault!;
        if (fault.IsUntilCleared())
        {
            if (!IsEnforced(fault, options)) return state;
            var isOld = evidence.Began < state.ClearedAt
                || (state.Cooldown is { IsUntilCleared: true } running && evidence.Began <= running.Since);
            if (isOld) return state;
            var refusals = state.Cooldown is { IsUntilCleared: true } ? state.ClearRefusals + 1 : 1;
            return state.Cool(Cooldown.UntilCleared(fault, options.ClearTrial(fault, evidence.HasServedLately, refusals), now)) with { ClearRefusals = refusals };
        }

        if (fault.SaysWhen()) return state.Cool(Cooldown.For(fault, fault.Wait(), now, options));
        if (fault.Blame != FaultBlame.Throttle && fault.Kind != FaultKind.BreakerOpen) return state;

        // A burst of refusals is one refusal: only an attempt begun after the last one lengthens the wait.
        if (state.ThrottledAt is { } last && evidence.Began <= last) return state;
        var throttles = state.Throttles + 1;
        var length = options.OwnCooldown(throttles) * (1 - options.BreakJitter * evidence.Jitter);
        return state.Cool(Cooldown.For(fault, length, now, options)) with { Throttles = throttles, ThrottledAt = now };
    }

    private static bool IsEnforced(Fault fault, HealthOptions options) => fault.Kind switch
    {
        FaultKind.Unauthorized => options.KeyRule == RuleMode.Enforce,
        FaultKind.QuotaExhausted => options.QuotaRule == RuleMode.Enforce,
        _ => true,
    };

    private static HealthState ProbeHit(HealthState state, in HealthEvidence evidence, TimeSpan now, HealthOptions options)
    {
        var level = evidence.Level;
        if (state.Cooldown is { IsClearable: true } cooldown && level >= cooldown.Cause.Level() && state.Status != EndpointHealthStatus.Trial)
            state = state.ClearCooldown(TimeSpan.MaxValue, now, options);
        if (state.IsInService)
            return level >= state.CauseLevel ? state.Clean(now, now)
                : state.ConnectFailures == 0 ? state
                : state with { ConnectFailures = 0 };
        if (state.Status != EndpointHealthStatus.Ejected || level < state.CauseLevel) return state;
        var hits = evidence.IsDecisive ? options.HitsToRecover : state.ProbeHits + 1;
        return hits >= options.HitsToRecover ? state.Recover(now, options) with { IsBackByProbe = true } : state with { ProbeHits = hits };
    }

    private static HealthState ProbeMiss(HealthState state, in HealthEvidence evidence, TimeSpan now, HealthOptions options)
    {
        var fault = evidence.Fault!;
        if (fault.IsNeutral) return state;
        if (evidence.IsHeld) return state.Hold(fault, now);
        // A probe that only connects has not exercised the key or the quota, whatever it was told about them.
        if (fault.IsUntilCleared() && fault.Level() > evidence.Level) return state;
        var next = Cool(state, evidence, now, options);
        if (!fault.Counts()) return next;
        if (state.Status == EndpointHealthStatus.Ejected) return next.ProbeHits == 0 ? next : next with { ProbeHits = 0 };
        if (!state.IsInService) return next;

        // What a probe saw is refuted by the same probe, even if the word for it usually needs more.
        var level = fault.Level() < evidence.Level ? fault.Level() : evidence.Level;
        if (state.ConsecutiveFailures > 0 && state.CauseLevel > level) level = state.CauseLevel;
        var misses = evidence.IsDecisive ? options.MissesToEject : state.ProbeMisses + 1;
        if (options.HeartbeatsRule != RuleMode.Enforce) return next.Suspect(fault, level, now) with { ProbeMisses = misses };
        if (misses >= options.MissesToEject && evidence.IsDoubtful) return next.Suspect(fault, level, now);
        return misses >= options.MissesToEject
            ? next.Eject(fault, level, now, evidence.Jitter, options, byProbe: true)
            : next.Suspect(fault, level, now) with { ProbeMisses = misses };
    }

    private static HealthState Ordered(HealthState state, HealthOrder order, TimeSpan now, HealthOptions options)
    {
        switch (order)
        {
            case HealthOrder.Drain: return state.TakeOut(EndpointHealthStatus.Draining, now);
            case HealthOrder.ForceDown: return state.TakeOut(EndpointHealthStatus.ForcedDown, now);
        }

        if (state.Cooldown is { IsClearable: true }) state = state.ClearCooldown(TimeSpan.MaxValue, now, options);
        if (state.IsInService) return state.Clean(now, now);
        return state.Recover(now, options) with { Epoch = state.Epoch + 1, EpochSince = now };
    }

    private static HealthState SelfSuspicion(HealthState state, in HealthEvidence evidence, TimeSpan now, HealthOptions options)
    {
        if (state.Status == EndpointHealthStatus.Trial) return state.ExtendTrial(now + options.PauseGrace);
        if (state.Status != EndpointHealthStatus.Ejected)
            return state.Cause is { } doubtful && doubtful.MayBeOurPause() ? state.Hold(doubtful, now) : state;
        if (state.Cause is not { } cause || !cause.MayBeOurPause() || !(state.JudgedAt >= now - evidence.Length)) return state;
        var back = state.TakeBack(now);
        // Put off, not void: the next failure convicts, unless a success comes first.
        var counts = evidence.IsDoubtful ? Math.Max(0, options.ConnectFailuresToEject - 1) : 0;
        return back.IsInService ? back with { ConsecutiveFailures = counts, ConnectFailures = counts } : back;
    }
}
