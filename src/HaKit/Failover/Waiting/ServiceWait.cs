using System.Globalization;
using HaKit.Attempts;
using HaKit.Health;
using HaKit.Selection;

namespace HaKit.Failover.Waiting;

/// <summary>
/// Handles calls without an untried endpoint. <see cref="ProspectReader"/> examines the endpoints, <see cref="WaitDecision"/> makes the decision, and this
/// class executes it.
/// </summary>
internal sealed class ServiceWait(FailoverContext context, AttemptStarter starter, Backoff backoff)
{
    // Calls that wait for the end of a cooldown wake at different times within this period after it. Otherwise the endpoint would get all of them at once.
    private static readonly TimeSpan ReturnSpread = TimeSpan.FromSeconds(5);

    // A waiting call examines the pool again after this time, or up to twice as long. So if a release is lost, the call loses a second or two, and not its
    // deadline.
    private static readonly TimeSpan RecheckAfter = TimeSpan.FromSeconds(1);

    /// <summary>Gets or sets the callback for a call that begins or continues to wait because no endpoint serves it. It gets the start of the outage.</summary>
    public Action<TimeSpan>? CallWaits { get; set; }

    /// <summary>Decides the next step of the call. If the next step is an attempt, the method begins it.</summary>
    /// <param name="call">The call.</param>
    /// <param name="now">The time on the pool's clock.</param>
    /// <param name="isSecond">True if the call has an attempt in flight that is kept although it is silent.</param>
    public Step AwaitService(FailoverCall call, TimeSpan now, bool isSecond = false)
    {
        var settings = context.Settings;
        var reader = new ProspectReader(call, settings, now, context.Outage, isSecond);
        var prospects = reader.Read(context.Snapshot);
        if (prospects.TrialAt < call.Deadline && prospects.CameBackAt > now)
        {
            // A call that has not made an attempt yet does not have to pause first.
            context.Outage.BeginOutage(now, call.History.IsFresh ? now - OutagePace.PauseAfter(0, default) : call.LastFailure);
            CallWaits?.Invoke(context.Outage.Since ?? now);
        }

        var facts = FactsOf(call, settings, prospects.AskedAt, now);
        var decision = WaitDecision.Decide(in prospects, in facts);
        // If no second attempt starts, the call goes on with its running attempt: it neither waits nor ends, so no rule is recorded.
        if (!isSecond || decision.Action is WaitAction.AskReturned or WaitAction.Retry or WaitAction.Trial)
            RecordRule(call, decision.Rule);
        var step = Execute(call, in decision, in reader, now);
        return isSecond ? step : LimitWait(call, step, in facts);
    }

    /// <summary>Ends a call that has waited for a free place, because the rest of its time is too short for an answer.</summary>
    public Step EndWithoutTime(FailoverCall call)
    {
        ReleaseTrialClaim(call);
        RecordRule(call, WaitRule.NoTimeToAnswer);
        return Step.EndCall("the call has waited for a free place until the rest of its deadline was shorter than the usual answer.");
    }

    /// <summary>Records that the call begins to wait.</summary>
    public void RecordWaiting(FailoverCall call, TimeSpan now) => context.Waiting.Add(call, Min(call.Deadline, call.MayWaitUntil(context.Settings.MaxWait, now)));

    /// <summary>Releases the call's right to make trials, because the call was served, has ended, or waits. Another call may then take the right.</summary>
    public void ReleaseTrialClaim(FailoverCall call)
    {
        if (!call.HoldsTrialClaim)
            return;
        call.HoldsTrialClaim = false;
        context.Outage.ReleaseClaim();
    }

    private WaitFacts FactsOf(FailoverCall call, FailoverSettings settings, TimeSpan askedAt, TimeSpan now) => new()
    {
        Now = now,
        Deadline = call.Deadline,
        MayWaitUntil = call.MayWaitUntil(settings.MaxWait, now),
        Attempts = CountedAttempts(call, settings),
        MostAttempts = settings.MostAttempts,
        HasRetryLeft = call.History.OrdinaryRetries < settings.OrdinaryRetries,
        BackoffEnds = backoff.EndFor(call, settings),
        CanPay = call.HasPaid || context.Budget.CanRetry,
        HasRoomBesidePace = context.Outage.HasRoomBeside(now),
        MayAsk = call.HoldsTrialClaim || context.Outage.IsFree(now) && MayClaimTrial(call, context.Outage.NextTrialAt(askedAt), now),
        NextTrialAt = context.Outage.NextTrialAt(askedAt),
    };

    // If only one attempt is allowed, a refused attempt counts as this attempt even if the refusal had a Retry-After.
    private static int CountedAttempts(FailoverCall call, FailoverSettings settings)
    {
        if (call.History.HasNoOwn)
            return 0;
        return settings.MostAttempts == 1 ? call.History.Begun : call.History.Counted;
    }

    // In the last quarter of its time, a call leaves the right to make the trial to calls that have time to wait for the answer. If the oldest waiting call
    // always made the trial, each trial could be cut short by the end of its call, and the end of the outage would never be found. If no other call takes the
    // right, this call may take it.
    private bool MayClaimTrial(FailoverCall call, TimeSpan nextTrialAt, TimeSpan now) =>
        context.Queue.Count <= 1 || !call.IsInLastPart(now) || now - nextTrialAt > RecheckAfter;

    private bool TryClaimTrial(FailoverCall call, TimeSpan now) => call.HoldsTrialClaim = call.HoldsTrialClaim || context.Outage.TryClaim(now);

    private void RecordRule(FailoverCall call, WaitRule rule)
    {
        if (call.RecordRule(rule))
            context.Telemetry.RecordWait(rule);
    }

    private Step Execute(FailoverCall call, in WaitDecision decision, in ProspectReader reader, TimeSpan now)
    {
        switch (decision.Action)
        {
            case WaitAction.GiveUp:
                ReleaseTrialClaim(call);
                return Step.EndCall(WhyOf(call, decision.Rule, reader.FailsAlone, now));
            case WaitAction.AskReturned:
                return AskReturned(call, reader.Returned!, now);
            case WaitAction.Retry:
                return RetryOn(call, reader.Serving!, now);
            case WaitAction.Trial:
                return BeginTrial(call, reader.Asked!, now);
            case WaitAction.WaitToAsk:
                return TryClaimTrial(call, now) ? Step.Wait(decision.Until) : WaitAndRecheck(call.Deadline, now);
            case WaitAction.Wait:
                ReleaseTrialClaim(call); // the call sleeps until then, and another call may make the trial
                return decision.Rule == WaitRule.NamedTime ? AwaitReturn(call, reader.Asked!, decision.Until, now)
                    : WaitAndRecheck(decision.Until, now);
            default:
                ReleaseTrialClaim(call);
                return WaitAndRecheck(decision.Until, now);
        }
    }

    private Step AskReturned(FailoverCall call, EndpointState member, TimeSpan now)
    {
        // If another call has shown that the endpoint is back, all released calls may go to it. If only a probe has shown this, one call may.
        if (call.WasReleased && ProspectReader.HasComeBack(member, call.LastFailure))
        {
            if (starter.TryStart(call, member, ModeOf(member, now), now) is { } released)
                return Step.Start(released);
        }
        else if (member.TryTakeSeenBack() && TryStartInOutage(call, member, now) is { } lease)
        {
            return Step.Start(lease);
        }

        ReleaseTrialClaim(call);
        return WaitAndRecheck(call.Deadline, now);
    }

    private Step RetryOn(FailoverCall call, EndpointState member, TimeSpan now)
    {
        if (starter.TryPay(call) && TryStartInOutage(call, member, now) is { } lease)
            return Step.Start(lease);
        ReleaseTrialClaim(call);
        return Step.Wait(backoff.DrawEnd(call, now, context.Settings));
    }

    private Step BeginTrial(FailoverCall call, EndpointState member, TimeSpan now)
    {
        if (!TryClaimTrial(call, now))
            return WaitAndRecheck(call.Deadline, now);
        if (TryStartInOutage(call, member, now, isPaced: true) is { } lease)
        {
            context.Outage.BeginTrial(now);
            member.PacedAt = now;
            member.TryTakeSeenBack();
            lease.AsksOutage = true;
            lease.MayOutlastLimit = context.Settings.MostAttempts is null && call.Profile.MayRepeat && call.MayWaitUntil(context.Settings.MaxWait, now) >= call.Deadline;
            call.HoldsTrialClaim = false; // the right now belongs to the lease, and is released when the lease ends
            return Step.Start(lease);
        }
        ReleaseTrialClaim(call);
        return WaitAndRecheck(call.Deadline, now);
    }

    // Starts an attempt for which no other call's success is known. It counts against the outage's limit on repeats, unless it is the call's first attempt on
    // the endpoint.
    private Lease? TryStartInOutage(FailoverCall call, EndpointState member, TimeSpan now, bool isPaced = false)
    {
        var isRepeat = call.History.TimesTried(member) > 0;
        var lease = starter.TryStart(call, member, ModeOf(member, now), now, isPaced);
        if (lease is not null && isRepeat)
            context.Outage.CountRepeat(now);
        return lease;
    }

    private static BeginMode ModeOf(EndpointState member, TimeSpan now) => member.Health.State.Admits(now) ? BeginMode.Normal : BeginMode.OutageTrial;

    // The endpoint that returns first has named the time. One call wakes at that time, and the others follow after its success. Until shortly before that time,
    // the call also examines the pool from time to time. Another endpoint may have free capacity, but its release may have gone to a call that cannot use that
    // endpoint.
    private Step AwaitReturn(FailoverCall call, EndpointState member, TimeSpan at, TimeSpan now)
    {
        if (call.Watched != member)
            call.StopWatching();
        var watches = member.TryWatchReturn(call);
        if (watches)
            call.Watched = member;
        if (at - now > 2 * RecheckAfter)
            return WaitAndRecheck(at, now);
        return Step.Wait(watches ? at : SomeTimeAfter(at, call));
    }

    private TimeSpan SomeTimeAfter(TimeSpan at, FailoverCall call) => at + Min(ReturnSpread, (call.Deadline - at) / 2) * context.Chance.NextDouble();

    private Step WaitAndRecheck(TimeSpan atLatest, TimeSpan now) => Step.Wait(Min(atLatest, now + RecheckAfter * (1 + context.Chance.NextDouble())));

    // No wait is longer than MaxWait. WaitDecision cannot ensure this, because a call may wait longer than decided: its wait has jitter, so that not all calls
    // start at the same time, or its attempt could not be started.
    private Step LimitWait(FailoverCall call, Step step, in WaitFacts facts)
    {
        if (step.Kind != StepKind.Wait || step.Until <= facts.MayWaitUntil)
            return step;
        if (facts.MayWaitUntil > facts.Now)
            return Step.Wait(facts.MayWaitUntil);
        RecordRule(call, WaitRule.MaxWait);
        return Step.EndCall(WhyOf(call, WaitRule.MaxWait, failsAlone: false, facts.Now));
    }

    private string WhyOf(FailoverCall call, WaitRule rule, bool failsAlone, TimeSpan now) => rule switch
    {
        WaitRule.NotCapable when context.Snapshot.Members.Length == 0 => "the pool has no endpoint. Add one, or wait until one is found.",
        WaitRule.NotCapable when call.History.ForbidsRepeat => "no further endpoint may be asked: an endpoint answered that the request must not be sent to it again (x-should-retry), and no other endpoint can serve the request.",
        WaitRule.NotCapable when Requirement.NameMissing(context.Snapshot.Members, call.Profile) is { } missing =>
            $"no endpoint has the capabilities that the request needs: {missing}. Correct the settings of an endpoint (Model, Residency, Tags, Tools, Vision, ContextWindow), or the request's profile.",
        WaitRule.NotCapable when call.History.ContextWindowTooSmall is not null =>
            "an endpoint has refused the prompt as too long, and no other endpoint that meets the requirements of the request has a larger context window.",
        WaitRule.NotCapable => "the request was refused, and no other endpoint can be asked now.",
        WaitRule.AttemptsUsedUp when call.History.Counted >= context.Settings.MostAttempts => AllFailed(call.History.Begun, now - call.Started),
        WaitRule.AttemptsUsedUp when failsAlone =>
            "the request failed again and again on endpoints that serve other requests at the same time, so it is probably the reason for the failures.",
        WaitRule.AttemptsUsedUp => "each endpoint that may serve the request was tried as often as the settings allow.",
        WaitRule.TimeDoesNotHeal => "no endpoint can serve the request, and waiting does not help.",
        WaitRule.NoTimeToAnswer => "the rest of the deadline is shorter than the usual answer of each endpoint that could still be asked.",
        WaitRule.MaxWait => "no endpoint can serve the request now, and the call may wait no longer (MaxWait).",
        _ => "no endpoint can serve the request before its deadline.",
    };

    // The message contains the duration of each attempt. This text adds the waits between the attempts, so that the durations add up to the duration of the
    // call.
    private static string AllFailed(int attempts, TimeSpan took)
    {
        var all = attempts == 1 ? "the only attempt failed" : $"all {attempts} attempts failed";
        return took < TimeSpan.FromSeconds(1) ? $"{all}." : $"{all}. The call took {DurationText.Write(took)}, including the waits between attempts.";
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
