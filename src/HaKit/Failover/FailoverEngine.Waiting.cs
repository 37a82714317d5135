using HaKit.Attempts;
using HaKit.Estimates;
using HaKit.Health;
using HaKit.Selection;

namespace HaKit.Failover;

/// <content>What a call does when no endpoint is left that it has not tried: again, wait, or ask an outage whether it is over.</content>
internal sealed partial class FailoverEngine
{
    private static readonly TimeSpan ReturnSpread = TimeSpan.FromSeconds(5);

    // Beside one that refuses most of what it gets and still serves, those that are out are asked before their time, but not as often as in an outage. So
    // rare a question stands in for a heartbeat and costs nothing.
    private static readonly TimeSpan PauseBesideSpared = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);

    // No endpoint is left that this call has not tried: the soonest of backoff, Retry-After and recovery, if the deadline allows.
    private Step AgainOrWait(FailoverCall call, PoolSnapshot snapshot, FailoverSettings settings, TimeSpan now)
    {
        var query = new SelectionQuery(call.Profile, call.History, now);
        var soonest = TimeSpan.MaxValue;
        var returns = TimeSpan.MaxValue;
        EndpointState? first = null;
        var able = CountAble(snapshot, in query);
        // An endpoint that was out before this call and is not asked while another serves takes no share of the call's attempts from those that are asked.
        var isShared = !AnyAskable(call, snapshot, in query);
        var most = settings.MaxAttemptsOn(CountAskable(call, snapshot, in query, isShared));
        var (admitted, isWell) = (false, false);
        var mayComeFree = false;
        var mayMakeIt = false;
        var (left, usable) = (0, 0);
        foreach (var member in snapshot.Members)
        {
            if (!query.CanServe(member))
                continue;
            var health = member.Health.State;
            admitted |= health.Admits(now);
            isWell |= health.Admits(now) && !health.IsSpared;
            mayComeFree |= health.Status == EndpointHealthStatus.Trial || health.Admits(now) && member.IsBusy;
            left += Math.Max(0, most - TimesTried(call, member));
            // Those that are out of reach until after the deadline, or count again as soon as the endpoint fails once more, are no reason to spend the last.
            if (IsAskable(call, member, isShared, now) && (health.IsTrialAllowedInOutage(now) || member.AvailableAt(call.Profile.Tokens, now) < call.Deadline))
                usable += Math.Max(0, most - call.History.TimesTried(member));
        }
        left = Math.Min(left, settings.MaxAttempts - call.History.Count);
        usable = Math.Min(usable, settings.MaxAttempts - call.History.Count);
        if (able == 0)
            return Step.GiveUp("no endpoint has the capabilities that the request needs.");
        if (left <= 0)
            return Step.GiveUp("every endpoint that may serve the request was tried as often as allowed.");
        foreach (var member in snapshot.Members)
        {
            if (!query.CanServe(member))
                continue;
            var tried = TimesTried(call, member);
            if (tried >= most)
                continue;
            var at = member.AvailableAt(call.Profile.Tokens, now);
            returns = Min(returns, at);
            // That a Retry-After is over is no proof that the endpoint is well: the last attempt is kept from one that failed it before.
            if (tried > 0 || call.History.FoundBroken(member) || usable <= 1 && (call.History.TimesTried(member) > 0 || IsReserved(call, member, settings)))
                at = Max(at, NotBefore(call, member, usable, settings));
            if (at < call.Deadline && !MayMakeIt(call, member, settings, Max(at, now)))
                continue;
            mayMakeIt = true;
            if (at < soonest)
                (soonest, first) = (at, member);
        }
        if (!mayMakeIt)
            return Step.GiveUp("what is left of the deadline is shorter than any answer of the endpoints that are left.");
        if (first is not null && soonest <= now)
            return Again(call, first, settings, now);
        var asking = isWell ? null : AskOutage(call, snapshot, most, usable, admitted ? PauseBesideSpared : TimeSpan.Zero, now);
        if (asking is { } step && (step.Kind == StepKind.Start || step.Until < soonest))
            return step;
        if (!admitted && !mayComeFree && soonest == returns && soonest < call.Deadline)
            return asking is null ? AwaitReturn(call, soonest) : Step.Wait(SomeTimeAfter(soonest, call));
        Resign(call); // what it waits for now is not the answer to a question that it asks for all
        // A trial's or a call's end may come at any moment; it wakes the first in line, who may be waiting for another.
        if (mayComeFree)
            return LookAgain(!admitted && soonest == returns ? call.Deadline : Min(soonest, call.Deadline), now);
        return soonest < call.Deadline ? Step.Wait(soonest)
            : Step.GiveUp(soonest == TimeSpan.MaxValue ? "nothing can serve the request." : "nothing can serve the request before its deadline.");
    }

    // Nobody is admitted, and the first to return does so at a known time: one call goes then, and the others follow as calls are served. If each had a
    // timer of its own for that moment, the end of a Retry-After would send them all at once to the one endpoint that is first.
    private Step AwaitReturn(FailoverCall call, TimeSpan at)
    {
        // The others look for themselves some time later: the one that goes may be waiting for another endpoint than they could use.
        if (!call.IsAsker && !Outage.TryClaim(Clock.Now))
            return Step.Wait(SomeTimeAfter(at, call));
        call.IsAsker = true;
        return Step.Wait(at);
    }

    private TimeSpan SomeTimeAfter(TimeSpan at, FailoverCall call) => at + Min(ReturnSpread, (call.Deadline - at) / 2) * _chance.NextDouble();

    // The last attempt a call has left is kept until it is likely to succeed: until the endpoint has served one that began after the last failure (what was
    // under way before an outage may still be answered in it), or late in the deadline. Spent on a third backoff within a second, it would lose the call to
    // an outage that the deadline outlives.
    private TimeSpan NotBefore(FailoverCall call, EndpointState member, int left, FailoverSettings settings)
    {
        var backoff = BackoffEnd(call, settings);
        return left > 1 || call.Deadline == TimeSpan.MaxValue || member.ServedBegan > call.LastFailure
            ? backoff
            : Max(backoff, call.LastFailure + LastAttemptAt * (call.Deadline - call.LastFailure));
    }

    private Step Again(FailoverCall call, EndpointState state, FailoverSettings settings, TimeSpan now)
    {
        // A call that has tried nothing adds no load by trying; one that has, spends from the shared budget. Only successes fill that, so one attempt
        // now and then is free, or those that wait when calls no longer come would wait for ever.
        if (call.History.Count == 0 || CameBackSince(call, state) || TryPay(call) || Outage.TryFree(now))
        {
            var mode = state.Health.State.IsTrialReady(now) ? BeginMode.Trial : BeginMode.Normal;
            if (TryStart(call, state, mode, now) is { } lease)
                return Step.Start(lease);
        }
        Resign(call);
        return Step.Wait(DrawBackoff(call, now, settings));
    }

    // Nothing that could serve the request is admitted. One call at a time asks, at the outage's pace; the others wait to be let in. A call that
    // has asked before spends from the shared budget, and spreads the attempts it has left over its deadline. With a pause somebody is admitted who is
    // spared: each of the others rests so long between two questions, which then cost nothing.
    private Step? AskOutage(FailoverCall call, PoolSnapshot snapshot, int most, int left, TimeSpan pause, TimeSpan now)
    {
        var query = new SelectionQuery(call.Profile, call.History, now);
        var candidates = 0;
        foreach (var member in snapshot.Members)
            if (MayBeAsked(member, in query, most, pause) && (left > 1 || IsAskable(call, member, isShared: false, now)))
                candidates++;
        var isLast = left <= 1 && candidates > 0; // the last attempt is for an endpoint that returns in time, where there is one
        if (candidates == 0)
            foreach (var member in snapshot.Members)
                if (MayBeAsked(member, in query, most, pause))
                    candidates++;
        if (candidates == 0)
            return null;
        var isFresh = call.History.Count == 0;
        if (!isFresh && (pause == TimeSpan.Zero || left <= 1) && call.Deadline < TimeSpan.MaxValue)
        {
            var share = left > 1 ? 1.0 / (left + 1) : LastAttemptAt;
            if (call.LastFailure + share * (call.Deadline - call.LastFailure) is var turn && turn > now)
            {
                Resign(call); // it sleeps until then, and others may ask
                return Step.Wait(turn);
            }
        }
        // The right to ask is for those that can wait for the answer. Given to whoever has waited longest, each trial would end with its call, and the
        // outage never.
        if (!call.IsAsker && (Queue.Count > 1 && call.Deadline - now < (1 - LastAttemptAt) * call.DeadlineSpan || !Outage.TryClaim(now)))
            return LookAgain(call.Deadline, now);
        call.IsAsker = true;
        if (Outage.NextTrialAt is var next && next > now)
            return Step.Wait(next);
        if (isFresh || pause > TimeSpan.Zero || call.HasPaid || Outage.TryFree(now) || TryPay(call))
        {
            var pick = Outage.NextTurn(candidates);
            foreach (var member in snapshot.Members)
                if (MayBeAsked(member, in query, most, pause) && (!isLast || IsAskable(call, member, isShared: false, now)) && pick-- == 0 && TryStart(call, member, BeginMode.OutageTrial, now) is { } lease)
                {
                    Outage.Began(now);
                    lease.AsksOutage = true;
                    call.IsAsker = false;
                    return Step.Start(lease);
                }
        }
        Resign(call);
        return LookAgain(call.Deadline, now);
    }

    // Whoever gives up the right to ask wakes nobody, and the one it wakes might not afford to ask either: so those that wait look for themselves.
    private Step LookAgain(TimeSpan atLatest, TimeSpan now) => Step.Wait(Min(atLatest, now + Look * (1 + _chance.NextDouble())));

    /// <summary>The call asks no more: it was served, gave up, or may not spend. The next in line may.</summary>
    public void Resign(FailoverCall call)
    {
        if (!call.IsAsker)
            return;
        call.IsAsker = false;
        Outage.Resign();
    }

    // An attempt on an endpoint that has come back since counts no more: it was spent on another state of things. The cap on the whole call stays.
    // What makes it healthy may be an answer that was under way before it failed; only one that began later shows that it is back.
    private static int TimesTried(FailoverCall call, EndpointState member)
    {
        var health = member.Health.State;
        return call.History.TimesTried(member, since: health.Status switch
        {
            EndpointHealthStatus.SlowStart => health.Since,
            EndpointHealthStatus.Healthy => Min(health.Since, member.ServedBegan),
            _ => TimeSpan.Zero,
        });
    }

    // May this call ask it in time, or is there none that it may?
    private static bool IsAskable(FailoverCall call, EndpointState member, bool isShared, TimeSpan now) =>
        isShared || member.Health.State.Admits(now) || call.History.TimesTried(member) > 0 || member.AvailableAt(call.Profile.Tokens, now) < call.Deadline;

    private static bool AnyAskable(FailoverCall call, PoolSnapshot snapshot, in SelectionQuery query)
    {
        foreach (var member in snapshot.Members)
            if (query.CanServe(member) && IsAskable(call, member, isShared: false, query.Now))
                return true;
        return false;
    }

    private static int CountAskable(FailoverCall call, PoolSnapshot snapshot, in SelectionQuery query, bool isShared)
    {
        var askable = 0;
        foreach (var member in snapshot.Members)
            if (query.CanServe(member) && IsAskable(call, member, isShared, query.Now))
                askable++;
        return askable;
    }

    private static int CountAble(PoolSnapshot snapshot, in SelectionQuery query)
    {
        var able = 0;
        foreach (var member in snapshot.Members)
            if (query.CanServe(member))
                able++;
        return able;
    }

    private static bool MayBeAsked(EndpointState member, in SelectionQuery query, int most, TimeSpan pause) =>
        query.CanServe(member)
        && query.History.TimesTried(member) < most
        && member.Health.State is var health && health.IsTrialAllowedInOutage(query.Now) && query.Now - health.Since >= pause
        && member.HasRoom(query.Profile.Tokens, query.Now);

    // Full jitter (Brooker 2015) from the last failure; drawn once per failure, so that looking again does not draw again.
    private TimeSpan BackoffEnd(FailoverCall call, FailoverSettings settings) => call.BackoffUntil ?? DrawBackoff(call, call.LastFailure, settings);

    private TimeSpan DrawBackoff(FailoverCall call, TimeSpan from, FailoverSettings settings)
    {
        var ceiling = settings.Retry.Delay * Math.Pow(2, Math.Min(call.Backoffs, 30));
        if (ceiling > settings.Retry.MaxDelay)
            ceiling = settings.Retry.MaxDelay;
        call.Backoffs++;
        var until = from + ceiling * _chance.NextDouble();
        // Never so long that the call could not try any more: an attempt that comes a little early is better than a call that is lost.
        if (call.Deadline < TimeSpan.MaxValue && from < call.Deadline)
            until = Min(until, from + LastAttemptAt * (call.Deadline - from));
        call.BackoffUntil = until;
        return until;
    }
}
