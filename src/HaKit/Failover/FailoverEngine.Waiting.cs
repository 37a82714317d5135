using HaKit.Attempts;
using HaKit.Failover.Waiting;
using HaKit.Health;
using HaKit.Selection;

namespace HaKit.Failover;

/// <content>
/// Waits when no untried endpoint is left: <see cref="ProspectReader"/> examines the endpoints, <see cref="WaitDecision"/> decides, and this part carries the
/// decision out.
/// </content>
internal sealed partial class FailoverEngine
{
    // Calls that wait for the end of a cooldown are spread over this time after it, so that the end does not send them all at once.
    private static readonly TimeSpan ReturnSpread = TimeSpan.FromSeconds(5);

    // If a release is lost, a waiting call loses a second or two, and not its deadline.
    private static readonly TimeSpan LookAgainAfter = TimeSpan.FromSeconds(1);

    // In the last part of its deadline, a call leaves the right to make the trial to calls that have time to wait for the answer.
    private const double LastPart = 0.25;

    private Step AwaitService(FailoverCall call, PoolSnapshot snapshot, FailoverSettings settings, TimeSpan now, bool isCompany = false)
    {
        var reader = new ProspectReader(call, settings, now, Outage, isCompany);
        var prospects = reader.Read(snapshot);
        if (prospects.TrialAt < call.Deadline && prospects.CameBackAt > now)
        {
            // A call that has not yet asked any endpoint does not have to pause first.
            Outage.BeginOutage(now, call.History.IsFresh ? now - OutagePace.PauseAfter(0, default) : call.LastFailure);
            CallWaits?.Invoke(Outage.Since ?? now);
        }

        var facts = FactsOf(call, settings, prospects.AskedAt, now);
        var decision = WaitDecision.Decide(in prospects, in facts);
        return CarryOut(call, in decision, in reader, now);
    }

    private WaitFacts FactsOf(FailoverCall call, FailoverSettings settings, TimeSpan askedAt, TimeSpan now) => new()
    {
        Now = now,
        Deadline = call.Deadline,
        MayWaitUntil = call.MayWaitUntil(settings.MaxWait, now),
        // If only one attempt is allowed, a refusal counts as this attempt even if the endpoint named a time.
        Attempts = call.History.HasNoOwn ? 0 : settings.MostAttempts == 1 ? call.History.Begun : call.History.Counted,
        MostAttempts = settings.MostAttempts,
        HasRetryLeft = call.History.OrdinaryRetries < settings.OrdinaryRetries,
        BackoffEnds = BackoffEnd(call, settings),
        CanPay = call.HasPaid || Budget.CanRetry,
        HasRoomBesidePace = Outage.HasRoomBeside(now),
        MayAsk = call.IsAsker || Outage.IsFree(now) && MayTakeTheRight(call, Outage.NextTrialAt(askedAt), now),
        NextTrialAt = Outage.NextTrialAt(askedAt),
    };

    // If the call that has waited longest made each trial, each trial could end with its call, and the outage would never end. If no other call takes the
    // right, this call may.
    private bool MayTakeTheRight(FailoverCall call, TimeSpan nextTrialAt, TimeSpan now) =>
        Queue.Count <= 1 || call.Deadline == TimeSpan.MaxValue || call.Deadline - now >= LastPart * call.DeadlineSpan || now - nextTrialAt > LookAgainAfter;

    private Step CarryOut(FailoverCall call, in WaitDecision decision, in ProspectReader reader, TimeSpan now)
    {
        if (call.RecordRule(decision.Rule))
            Telemetry.RecordWait(decision.Rule);
        switch (decision.Action)
        {
            case WaitAction.GiveUp:
                Resign(call);
                return Step.EndCall(WhyOf(call, decision.Rule, now));
            case WaitAction.AskReturned:
                return AskReturned(call, reader.Returned!, now);
            case WaitAction.Retry:
                return RetryOn(call, reader.Serving!, now);
            case WaitAction.Trial:
                return BeginTrial(call, reader.Asked!, now);
            case WaitAction.WaitToAsk:
                if (!call.IsAsker && !Outage.TryClaim(now))
                    return LookAgain(call.Deadline, now);
                call.IsAsker = true;
                return Step.Wait(decision.Until);
            case WaitAction.Wait:
                Resign(call); // the call sleeps until then, and another call may make the trial
                return decision.Rule == WaitRule.NamedTime ? AwaitReturn(call, reader.Asked!, decision.Until)
                    : LookAgain(decision.Until, now);
            default:
                Resign(call);
                return LookAgain(decision.Until, now);
        }
    }

    private Step AskReturned(FailoverCall call, EndpointState member, TimeSpan now)
    {
        // A sign from a probe lets one call in; a sign from another call lets in the released calls.
        if (call.WasReleased && ProspectReader.HasComeBack(member, call.LastFailure))
        {
            if (TryStart(call, member, ModeOf(member, now), now) is { } released)
                return Step.Start(released);
        }
        else if (member.TryTakeSeenBack() && TryStartInOutage(call, member, now) is { } lease)
        {
            return Step.Start(lease);
        }

        Resign(call);
        return LookAgain(call.Deadline, now);
    }

    private Step RetryOn(FailoverCall call, EndpointState member, TimeSpan now)
    {
        if (TryPay(call) && TryStartInOutage(call, member, now) is { } lease)
            return Step.Start(lease);
        Resign(call);
        return Step.Wait(DrawBackoff(call, now, Settings));
    }

    private Step BeginTrial(FailoverCall call, EndpointState member, TimeSpan now)
    {
        if (!call.IsAsker && !Outage.TryClaim(now))
            return LookAgain(call.Deadline, now);
        call.IsAsker = true;
        if (TryStartInOutage(call, member, now, isPaced: true) is { } lease)
        {
            Outage.BeginTrial(now);
            member.PacedAt = now;
            member.TryTakeSeenBack();
            lease.AsksOutage = true;
            call.IsAsker = false; // the right belongs to the lease, and is free when the lease ends
            return Step.Start(lease);
        }
        Resign(call);
        return LookAgain(call.Deadline, now);
    }

    // Starts an attempt that no success has called for. It counts for the outage's limit on repeats, unless it is the call's first attempt on the endpoint.
    private Lease? TryStartInOutage(FailoverCall call, EndpointState member, TimeSpan now, bool isPaced = false)
    {
        var isRepeat = call.History.TimesTried(member) > 0;
        var lease = TryStart(call, member, ModeOf(member, now), now, isPaced);
        if (lease is not null && isRepeat)
            Outage.CountRepeat(now);
        return lease;
    }

    private static BeginMode ModeOf(EndpointState member, TimeSpan now) => member.Health.State.Admits(now) ? BeginMode.Normal : BeginMode.OutageTrial;

    // The first endpoint to return named its time: one call wakes at that moment, and the others follow after its success.
    private Step AwaitReturn(FailoverCall call, EndpointState member, TimeSpan at)
    {
        if (call.Watched != member)
            call.LeaveReturn();
        if (!member.TryWatchReturn(call))
            return Step.Wait(SomeTimeAfter(at, call));
        call.Watched = member;
        return Step.Wait(at);
    }

    private TimeSpan SomeTimeAfter(TimeSpan at, FailoverCall call) => at + Min(ReturnSpread, (call.Deadline - at) / 2) * _chance.NextDouble();

    private Step LookAgain(TimeSpan atLatest, TimeSpan now) => Step.Wait(Min(atLatest, now + LookAgainAfter * (1 + _chance.NextDouble())));

    /// <summary>Notes that the call begins to wait.</summary>
    public void NoteWaiting(FailoverCall call, TimeSpan now) => Waiting.Add(call, Min(call.Deadline, call.MayWaitUntil(Settings.MaxWait, now)));

    /// <summary>Gives the right to make trials back, because the call was served, has given up or sleeps. Another call may then take it.</summary>
    public void Resign(FailoverCall call)
    {
        if (!call.IsAsker)
            return;
        call.IsAsker = false;
        Outage.Resign();
    }

    // Full jitter (Brooker 2015) from the last failure. Drawn once for each failure, so that a second examination does not draw again.
    private TimeSpan BackoffEnd(FailoverCall call, FailoverSettings settings) => call.BackoffUntil ?? DrawBackoff(call, call.LastFailure, settings);

    private TimeSpan DrawBackoff(FailoverCall call, TimeSpan from, FailoverSettings settings)
    {
        var ceiling = settings.Retry.Delay * Math.Pow(2, Math.Min(call.Backoffs, 30));
        if (ceiling > settings.Retry.MaxDelay)
            ceiling = settings.Retry.MaxDelay;
        call.Backoffs++;
        var until = from + ceiling * _chance.NextDouble();
        // The backoff must leave the call time for another attempt: an attempt that comes slightly early is better than a lost call.
        if (call.Deadline < TimeSpan.MaxValue && from < call.Deadline)
            until = Min(until, from + (1 - LastPart) * (call.Deadline - from));
        call.BackoffUntil = until;
        return until;
    }

    private string WhyOf(FailoverCall call, WaitRule rule, TimeSpan now) => rule switch
    {
        WaitRule.NotCapable => $"no endpoint has the capabilities that the request needs: {Requirement.NameMissing(Snapshot.Members, call.Profile)}.",
        WaitRule.AttemptsUsedUp when call.History.Counted >= Settings.MostAttempts => AllFailed(call.History.Begun, now - call.Started),
        WaitRule.AttemptsUsedUp => "every endpoint that may serve the request was tried as often as allowed.",
        WaitRule.TimeDoesNotHeal => "nothing can serve the request.",
        WaitRule.NoTimeToAnswer => "what is left of the deadline is shorter than any answer of the endpoints that are left.",
        WaitRule.MaxWait => "nothing can serve the request now, and it may wait no longer (MaxWait).",
        _ => "nothing can serve the request before its deadline.",
    };
}
