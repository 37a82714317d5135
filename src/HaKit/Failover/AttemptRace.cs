using System.Runtime.CompilerServices;
using HaKit.Attempts;
using HaKit.Estimates;
using HaKit.Faults;
using HaKit.Limits;
using Polly;

namespace HaKit.Failover;

/// <summary>
/// The only loop of failover. It runs the attempts of one call until an attempt serves the call, the call itself ends (cancelled, deadline passed), or no
/// endpoint is left. Whenever the call's signal is set, the loop examines the whole state. So the source, the number and the delay of signals do not matter.
/// </summary>
/// <remarks>
/// The race is a struct and stays on the stack as long as all attempts complete synchronously. Such a call registers nothing, sets no timer and allocates
/// nothing, for any number of attempts. When the call has to wait, <see cref="ContinueAsync"/> copies the race into its own pooled state; after that, only this
/// copy is valid.
/// </remarks>
internal struct AttemptRace<TResult, TRaw, TRunner>(FailoverEngine engine, FailoverCall call, TRunner runner, CancellationToken outside)
    where TRunner : struct, IAttemptRunner<TResult, TRaw>
{
    private RunningAttempt<TRaw> _first;
    private RunningAttempt<TRaw> _hedge;
    private Waiter? _waiter;
    private Outcome<TResult> _end;
    private KeptOutcomes<TResult> _kept;

    /// <summary>Runs the call; must be called once. Exceptions of the application's own selector are thrown by this method or by its task.</summary>
    /// <param name="now">The current time on the pool's clock.</param>
    public ValueTask<Outcome<TResult>> RunAsync(TimeSpan now)
    {
        RaceProgress progress;
        var until = TimeSpan.MaxValue;
        try
        {
            progress = Advance(ref now, ref until);
        }
        catch
        {
            LeaveWaitQueue();
            EndOthers(now);
            throw;
        }
        if (progress != RaceProgress.Decided)
            return ContinueAsync(progress, until, now);
        LeaveWaitQueue();
        return new(_end);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<Outcome<TResult>> ContinueAsync(RaceProgress progress, TimeSpan until, TimeSpan now)
    {
        var registration = call.CallerToken.UnsafeRegister(static signal => ((AsyncSignal)signal!).Set(), call.Signal);
        // A strategy around the call, such as a timeout, may cancel the call with its own token.
        var registrationOutside = outside == call.CallerToken ? default : outside.UnsafeRegister(static signal => ((AsyncSignal)signal!).Set(), call.Signal);
        try
        {
            while (progress != RaceProgress.Decided)
            {
                if (progress == RaceProgress.AttemptUnderWay)
                {
                    await call.Signal.WaitAsync().ConfigureAwait(false);
                }
                else
                {
                    until = Min(until, call.Deadline);
                    TimeSpan? wait = until == TimeSpan.MaxValue ? null : until - now;
                    var woken = await _waiter!.WaitAsync(wait, outside.CanBeCanceled ? outside : call.CallerToken).ConfigureAwait(false);
                    call.WasReleased = woken == WaitResult.Released;
                    call.Waited += engine.Clock.Now - now;
                }
                now = engine.Clock.Now;
                progress = Advance(ref now, ref until);
            }
            return _end;
        }
        finally
        {
            registration.Dispose();
            registrationOutside.Dispose();
            LeaveWaitQueue();
            EndOthers(now); // an attempt still runs only if an exception ends the call, for example an exception of the application's clock
        }
    }

    // Continues until the call is decided or has to wait.
    private RaceProgress Advance(ref TimeSpan now, ref TimeSpan until)
    {
        while (true)
        {
            if (TryDecide(now))
                return RaceProgress.Decided;
            if (_first.Lease is not null)
            {
                var due = NextDue(now, out var isStarted);
                if (!isStarted)
                {
                    call.Signal.Arm(due, now);
                    return RaceProgress.AttemptUnderWay;
                }
            }
            else
            {
                var next = engine.Next(call, now);
                if (next.Kind == StepKind.GiveUp)
                {
                    _end = _kept.TakeRefusal(call) ?? Refused(next.Why, now);
                    return RaceProgress.Decided;
                }
                if (next.Kind == StepKind.Start)
                {
                    StartFirst(next.Lease!);
                }
                else if (_waiter is { IsInside: true })
                {
                    until = next.Until;
                    return RaceProgress.InQueue;
                }
                else if (_waiter is null && engine.Queue.TryEnter(call.Profile.Priority, out _waiter))
                {
                    // A release before this moment did not reach this call, because the call was not in the queue yet. So the loop examines the state once more.
                    engine.Waits.RecordWaiting(call, now);
                }
                else if (!call.TryEndHold(now))
                {
                    _end = Refused(_waiter is null ? "too many calls are waiting already (MaxWaitingCalls)." : "too many calls are waiting (MaxWaitingCalls), and a call with a higher priority has taken the place of this call.", now);
                    return RaceProgress.Decided;
                }
            }
            now = engine.Clock.Now; // the new attempt may have ended already
        }
    }

    private void StartFirst(Lease lease)
    {
        _waiter?.LeaveQueue();
        (_waiter, call.WasReleased) = (null, false);
        call.StopWatching();
        if (!lease.AsksOutage)
            engine.Waits.ReleaseTrialClaim(call); // this attempt is not the outage's trial, so another call may make the trial
        if (!engine.IsTrialInOutage(lease))
            engine.Waiting.Remove(call);
        Start(ref _first, lease);
    }

    private void LeaveWaitQueue()
    {
        var heldTrialClaim = call.HoldsTrialClaim;
        engine.Waits.ReleaseTrialClaim(call);
        engine.Waiting.Remove(call);
        _waiter?.LeaveQueue(passOn: call.WasReleased || heldTrialClaim); // an unused release goes to the next call in the queue
        _waiter = null;
    }

    private readonly bool IsCancelled => call.CallerToken.IsCancellationRequested || outside.IsCancellationRequested;

    // Examines the running attempts, and whether the call itself has ended. True if the call is decided; the race then has no attempt left. Otherwise _first holds
    // the attempt that is still running, if any.
    private bool TryDecide(TimeSpan now)
    {
        if (_first.Lease is not null && ExamineAttempt(ref _first, now) || _hedge.Lease is not null && ExamineAttempt(ref _hedge, now))
        {
            EndOthers(now);
            return true;
        }
        if (IsCancelled)
        {
            _end = Outcome.FromException<TResult>(new OperationCanceledException(call.CallerToken.IsCancellationRequested ? call.CallerToken : outside));
        }
        else if (now >= call.Deadline)
        {
            // The caller gets a known refusal. But if the request must not be repeated, the caller must learn that an endpoint may have processed it.
            _end = (call.Profile.MayRepeat ? _kept.TakeRefusal(call) : null) ?? Outcome.FromException<TResult>(engine.Failures.OutOfTime(call, _kept.TakeException(), now));
        }
        else
        {
            if (_first.Lease is null)
                (_first, _hedge) = (_hedge, default);
            return false;
        }
        EndOthers(now);
        return true;
    }

    // Examines one attempt. True if it decides the call.
    private bool ExamineAttempt(ref RunningAttempt<TRaw> attempt, TimeSpan now)
    {
        var lease = attempt.Lease!;
        if (attempt.HasEnded)
            return TakeOutcome(ref attempt, now);
        if (IsCancelled)
            return TryEndAttempt(ref attempt, KnownFaults.CallerCancelled, now);
        if (now < lease.TimeoutAt && now < call.Deadline)
            return false;
        if (now < call.Deadline && engine.Silence.TryProlong(call, lease, isBesideKept: lease != _first.Lease && _first.Lease?.KeptSince is not null, now))
            return false;
        return TryEndAttempt(ref attempt, engine.Silence.OverdueFault(call, lease, now), now);
    }

    private bool TakeOutcome(ref RunningAttempt<TRaw> attempt, TimeSpan now)
    {
        var lease = attempt.Lease!;
        var outcome = runner.CompleteAttempt(attempt.Task, lease, now);
        attempt = default;
        var fault = lease.Fault;
        if (fault is null && outcome.Exception is null)
        {
            engine.Results.RecordServed(call, lease, now);
            _end = outcome;
            return true;
        }
        fault ??= lease.CancelledFor ?? KnownFaults.Unknown;
        lease.Complete(fault, now); // EndpointGuard has completed the lease already, unless a strategy outside the guard threw an exception
        var endpoint = lease.State.Endpoint.Name;
        var wasGivenUp = outcome.Exception is not null && lease.CancelledFor?.Kind == fault.Kind;
        engine.Results.RecordEnd(call, lease, fault, now);
        return wasGivenUp ? EndsGivenUp(endpoint, fault, outcome.Exception, now) : EndsWith(outcome, endpoint, fault, now);
    }

    private bool EndsWith(Outcome<TResult> outcome, string endpoint, Fault fault, TimeSpan now)
    {
        if (fault.Kind is FaultKind.CallerCancelled or FaultKind.DeadlineExceeded or FaultKind.Superseded && (IsCancelled || now >= call.Deadline))
        {
            Discards.DisposeResult(outcome);
            return false; // TryDecide ends the call now, for the same reason
        }
        var isOver = engine.ActionFor(call, fault) == FaultAction.Return;
        if (outcome.Exception is OperationCanceledException cancelled && (isOver || fault.IsRefusal) && !IsCancelled)
            outcome = Outcome.FromException<TResult>(AttemptExceptions.WithoutCancellation(endpoint, fault, cancelled));
        var isLaterRefusal = fault.IsRefusal && _kept.HasRefusal; // the caller gets the first refusal
        if (!isOver || isLaterRefusal)
            _kept.Add(outcome, fault.IsRefusal ? (endpoint, fault) : null);
        if (!isOver)
            return false;
        if (!isLaterRefusal)
            call.RecordEnd(endpoint, fault, outcome.Exception);
        _end = isLaterRefusal ? _kept.TakeRefusal(call)!.Value : outcome;
        return true;
    }

    // The pool has cancelled the attempt. The callback may then end with any exception, or continue to run. The type of the caller's exception must not depend
    // on how the callback ends, so the exception of the callback is only the inner exception.
    private bool EndsGivenUp(string endpoint, Fault fault, Exception? exception, TimeSpan now)
    {
        // If the caller has cancelled, or the deadline has passed, TryDecide creates the exception of the call.
        var isOver = !IsCancelled && now < call.Deadline && engine.EndsGivenUp(call, fault);
        if (isOver)
        {
            var timeout = AttemptExceptions.GivenUp(endpoint, fault, exception);
            call.RecordEnd(endpoint, fault, timeout);
            _end = Outcome.FromException<TResult>(timeout);
        }
        else if (exception is not null && !fault.IsNeutral)
        {
            _kept.Add(Outcome.FromException<TResult>(exception), refusal: null);
        }
        return isOver;
    }

    // Cancels an attempt. A callback that observes its token ends at once and returns its result. A callback that ignores its token is abandoned, so that it
    // does not delay the call. True if the attempt decides the call.
    private bool TryEndAttempt(ref RunningAttempt<TRaw> attempt, Fault fault, TimeSpan now)
    {
        var lease = attempt.Lease!;
        lease.Cancel(fault);
        if (!attempt.IsUnderWay || !lease.TryAbandon(new AbandonedAttempt<TResult, TRaw, TRunner>(runner, attempt.Task, lease, won: null)))
            return TakeOutcome(ref attempt, now);
        lease.Complete(fault, now);
        attempt = default;
        engine.Results.RecordEnd(call, lease, fault, now);
        return EndsGivenUp(lease.State.Endpoint.Name, fault, null, now);
    }

    private readonly object? Won => _end.Exception is null ? _end.Result : null;

    // The call is decided, or an exception ends it. So the attempts that still run have lost. An attempt that was silent for longer than usual counts as a
    // failure by silence. Otherwise a silent endpoint would keep its share of the traffic.
    private void EndOthers(TimeSpan now)
    {
        EndLoser(ref _first, now);
        EndLoser(ref _hedge, now);
        _kept.Clear();
    }

    // An attempt that lost may have ended too, even with an answer. Its outcome must not change the details that the call reports, such as the endpoint.
    private void EndLoser(ref RunningAttempt<TRaw> attempt, TimeSpan now)
    {
        if (attempt.Lease is not { } lease)
            return;
        var fault = engine.Silence.WasUnusuallySilent(call, lease, now) ? KnownFaults.FirstContentTimeout : KnownFaults.Superseded;
        lease.Cancel(fault);
        if (!attempt.IsUnderWay || !lease.TryAbandon(new AbandonedAttempt<TResult, TRaw, TRunner>(runner, attempt.Task, lease, Won)))
        {
            var outcome = runner.CompleteAttempt(attempt.Task, lease, now);
            fault = lease.Fault ?? (outcome.Exception is null ? KnownFaults.Superseded : fault);
            Discards.DisposeLost(outcome, Won, lease.State.Endpoint.Client);
        }
        lease.Complete(fault, now);
        attempt = default;
        engine.Results.RecordEnd(call, lease, fault, now);
    }

    // Gets the time of the next examination, unless something happens earlier. Starts a second attempt if it is time for one.
    private TimeSpan NextDue(TimeSpan now, out bool isStarted)
    {
        isStarted = false;
        var due = Min(_first.Lease!.TimeoutAt, call.Deadline);
        if (_hedge.Lease is { } hedge)
            return Min(due, hedge.TimeoutAt);
        if (_first.Lease.KeptSince is not null)
            return Min(due, engine.Silence.SilentAgainAt(_first.Lease) is var silentAt && silentAt > now ? silentAt : StartBeside(now, out isStarted));
        var hedgeAt = call.HedgeWasConsidered ? TimeSpan.MaxValue : engine.Hedges.HedgeAt(call, _first.Lease);
        if (hedgeAt > now)
            return Min(due, hedgeAt);
        if (engine.Hedges.TryHedge(call, now) is not { } lease)
            return call.HedgeWasConsidered ? due : Min(due, HedgeStarter.NextTryAt(_first.Lease, now));
        Start(ref _hedge, lease);
        isStarted = true;
        return now;
    }

    // The running attempt is silent for longer than usual. It is kept, and a second attempt may start beside it. Gets the time of the next examination.
    private TimeSpan StartBeside(TimeSpan now, out bool isStarted)
    {
        isStarted = false;
        if (!call.Profile.MayRepeat)
            return TimeSpan.MaxValue;
        var step = engine.NextBeside(call, now);
        if (step.Kind != StepKind.Start)
            return step.Kind == StepKind.Wait ? step.Until : TimeSpan.MaxValue;
        Start(ref _hedge, step.Lease!);
        isStarted = true;
        return now;
    }

    private void Start(ref RunningAttempt<TRaw> attempt, Lease lease)
    {
        var task = runner.Begin(lease);
        attempt = new RunningAttempt<TRaw> { Lease = lease, Task = task, IsUnderWay = !task.IsCompleted };
        if (attempt.IsUnderWay)
            task.ConfigureAwait(false).GetAwaiter().UnsafeOnCompleted(lease.WhenDone(call.Signal.Setter));
    }

    private Outcome<TResult> Refused(string why, TimeSpan now) => Outcome.FromException<TResult>(engine.Failures.NoEndpoint(call, why, _kept.TakeException(), now));

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
