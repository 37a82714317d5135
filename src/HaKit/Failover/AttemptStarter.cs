using System.Globalization;
using HaKit.Attempts;
using HaKit.Failover.Waiting;
using HaKit.Health;
using HaKit.Selection;
using HaKit.Telemetry;

namespace HaKit.Failover;

/// <summary>
/// Begins attempts: reserves an endpoint, sets the attempt's limits, pays from the retry budget if the attempt is not free, and adds the attempt to the call's
/// history.
/// </summary>
internal sealed class AttemptStarter(FailoverContext context, UntriedEndpoints untried, SilenceLimits silence)
{
    // A call that has this share of its time left has hardly waited.
    private const double ShareOfNewCall = 0.75;

    // A call gets a free place only if this share of the endpoint's answers took less time than the call has left.
    private const double SureChance = 0.9;

    private readonly string _idempotencyPrefix = context.Chance.Next().ToString("x16", CultureInfo.InvariantCulture) + "-";

    /// <summary>Begins an attempt on an endpoint that the call has not tried. Null if no such endpoint may be tried now.</summary>
    public Lease? StartUntried(FailoverCall call, TimeSpan now)
    {
        TryStartUntried(call, now, isBeside: false, out var lease);
        return lease;
    }

    /// <summary>
    /// Does the same as <see cref="StartUntried"/>, for a call that already has an attempt in flight. False if the application's own selector throws. Its exception
    /// is logged and does not end the call.
    /// </summary>
    public bool TryStartBeside(FailoverCall call, TimeSpan now, out Lease? lease) => TryStartUntried(call, now, isBeside: true, out lease);

    private bool TryStartUntried(FailoverCall call, TimeSpan now, bool isBeside, out Lease? lease)
    {
        lease = null;
        if (!untried.MayTryAnother(call))
            return true;
        // Between the choice and the reservation, another call may take the endpoint's last capacity, or the endpoint may be ejected. The loop then chooses
        // again, but not without limit.
        for (var choices = 0; choices <= context.Snapshot.Members.Length + 3 && lease is null; choices++)
        {
            Choice choice;
            if (!isBeside)
                choice = untried.ChooseInTime(call, now);
            else if (!untried.TryChooseBeside(call, now, out choice))
                return false;
            if (choice.State is null || LeavesTrialToOthers(call, choice.Admission, now) || !MayMoveTo(call, choice.State))
                return true;
            if (call.GivesWay = IsTooLateForPlace(call, choice.State, now))
                return true;
            lease = TryStart(call, choice.State, ModeOf(choice.Admission), now);
        }
        return true;
    }

    /// <summary>Begins an attempt on one endpoint. Null if the endpoint has no capacity or is no longer admitted.</summary>
    public Lease? TryStart(FailoverCall call, EndpointState state, BeginMode mode, TimeSpan now, bool isPaced = false)
    {
        var lease = call.RentLease();
        if (!lease.TryBegin(state, mode, call.Profile.InputTokens, state.CountTokens(call.Profile), call.History.NextNumber, call.Deadline, context.Clock, now))
        {
            call.KeepLease(lease);
            return null;
        }
        lease.CallerToken = call.CallerToken;
        lease.IsStream = call.IsStream;
        lease.Request = call.Profile.Request;
        (lease.SilentUntil, lease.EndsAt, lease.IsLimitKnown) = silence.LimitsFor(call, state, now);
        lease.Owner = call;
        lease.Identify(call.Profile.IdempotencyKey, _idempotencyPrefix, call.Number, call.RequestNumber);
        lease.CallSpan = call.Span;
        (lease.IsPaid, call.HasPaid) = (call.HasPaid, false);
        if (!call.History.IsFresh)
            RecordNextAttempt(call, state);
        call.History.Add(state, now, isInService: !lease.IsTrial, isPaced);
        return lease;
    }

    /// <summary>Pays for the call's next attempt from the retry budget. If a paid attempt could not be started, the payment is used for the next attempt.</summary>
    public bool TryPay(FailoverCall call) => call.HasPaid = call.HasPaid || context.Budget.TryRetry();

    // Moving on to a healthy endpoint is free, because the loss of an endpoint with 200 calls in flight must not use up the budget. Moving on to a suspect
    // endpoint, or to an ejected endpoint that is due for a trial, is not free; otherwise a call could go round a pool in which no endpoint can be reached.
    private bool MayMoveTo(FailoverCall call, EndpointState state) =>
        call.History.IsFresh || call.History.Refusal != RefusalState.MayAskOne && IsWell(state.Health.State) || ProspectReader.HasComeBack(state, call.LastFailure) || TryPay(call);

    // The oldest waiting call gets each release first. If this call made the half-open trial shortly before its deadline, the deadline would cut the trial
    // short. The next call would be as old, so no trial would ever succeed.
    private bool LeavesTrialToOthers(FailoverCall call, Admission admission, TimeSpan now) =>
        admission == Admission.Trial && call.Waited > TimeSpan.Zero && context.Queue.Count > 1 && call.IsInLastPart(now);

    // More calls wait than the limits of the endpoint admit. The oldest call has waited until shortly before its deadline. If it took the free place, its
    // deadline would probably cut the attempt short, and the place would be lost for the calls behind it. In a lasting overload no call would be served at all.
    // So the call ends, unless it has hardly waited, or nearly all answers of the endpoint took less time than the call has left.
    private bool IsTooLateForPlace(FailoverCall call, EndpointState state, TimeSpan now)
    {
        if (!call.History.IsFresh || call.Waited == TimeSpan.Zero || !state.IsLimited || context.Queue.Count <= 1 || context.Settings.Retry.MinimumChance == 0)
            return false;
        var left = call.Deadline - now;
        return left < ShareOfNewCall * call.DeadlineSpan && !new AnswerTime(call.IsStream, SureChance, left).IsPossible(state);
    }

    private static bool IsWell(HealthState health) => health is { Status: EndpointHealthStatus.Healthy or EndpointHealthStatus.SlowStart, ConsecutiveFailures: 0 };

    private static BeginMode ModeOf(Admission admission) => admission switch
    {
        Admission.Trial => BeginMode.Trial,
        Admission.FailOpen => BeginMode.FailOpen,
        _ => BeginMode.Normal,
    };

    // Reports a retry or a failover. The attempt that is about to begin is not in the history yet.
    private void RecordNextAttempt(FailoverCall call, EndpointState state)
    {
        ref readonly var last = ref call.History.Entries[^1];
        var why = call.History.TimesTried(state) > 0 ? NextAttempt.Retry : NextAttempt.Failover;
        if (last.Ended is null)
            why = NextAttempt.Hedge;
        context.Telemetry.RecordNextAttempt(call.Span, why, last.Endpoint.Name, state.Endpoint.Name, last.Fault?.KindName);
    }
}
