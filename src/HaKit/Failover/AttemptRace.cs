using System.Runtime.CompilerServices;
using HaKit.Attempts;
using HaKit.Estimates;
using HaKit.Faults;
using HaKit.Limits;
using Polly;

namespace HaKit.Failover;

/// <summary>
/// The only loop of failover. It runs the attempts of one call until one attempt serves it, the call ends by itself (cancelled, out of time), or nothing is
/// left to try. Whenever the call's signal is set, it examines the whole state, so it does not matter what set the signal, how often, or how late.
/// </summary>
/// <remarks>
/// The race is a struct and stays on the stack as long as everything completes synchronously. Such a call registers nothing, sets no timer and allocates nothing,
/// however many attempts it takes. When the call has to wait, <see cref="ContinueAsync"/> copies the race into its own pooled state; only this copy is valid then.
/// </remarks>
internal struct AttemptRace<TResult, TRaw, TRunner>(FailoverEngine engine, FailoverCall call, TRunner runner, CancellationToken outside)
    where TRunner : struct, IAttemptRunner<TResult, TRaw>
{
    private RunningAttempt _first;
    private RunningAttempt _hedge;
    private Waiter? _waiter;
    private Outcome<TResult> _end;
    private Outcome<TResult> _refusal;
    private Outcome<TResult> _last;
    private bool _hasLast;
    private bool _hasRefusal;

    private struct RunningAttempt
    {
        public Lease? Lease;
        public ValueTask<TRaw> Task;

        /// <summary>It was under way when it was entered: it has ended when its lease was told so, not when the task looks completed,
        /// because the lease must not be put away while that news is still coming.</summary>
        public bool IsUnderWay;

        public readonly bool HasEnded => !IsUnderWay || Lease!.IsAttemptDone;
    }

    private enum Progress
    {
        /// <summary>The call is decided.</summary>
        Decided,

        /// <summary>An attempt is running. Whatever happens next sets the call's signal.</summary>
        AttemptUnderWay,

        /// <summary>No attempt is running, and none may be started yet.</summary>
        InQueue,
    }

    /// <summary>Runs the call; must be called once. Exceptions of the application's own selector leave this method, or its task.</summary>
    /// <param name="now">The current time on the pool's clock.</param>
    public ValueTask<Outcome<TResult>> RunAsync(TimeSpan now)
    {
        Progress progress;
        var until = TimeSpan.MaxValue;
        try
        {
            progress = Advance(ref now, ref until);
        }
        catch
        {
            LeaveWaitQueue();
            throw;
        }
        if (progress != Progress.Decided)
            return ContinueAsync(progress, until, now);
        LeaveWaitQueue();
        return new(_end);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<Outcome<TResult>> ContinueAsync(Progress progress, TimeSpan until, TimeSpan now)
    {
        var registration = call.CallerToken.UnsafeRegister(static signal => ((AsyncSignal)signal!).Set(), call.Signal);
        // A strategy outside, such as a timeout, may end the call with a token of its own.
        var registrationOutside = outside == call.CallerToken ? default : outside.UnsafeRegister(static signal => ((AsyncSignal)signal!).Set(), call.Signal);
        try
        {
            while (progress != Progress.Decided)
            {
                if (progress == Progress.AttemptUnderWay)
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
        }
    }

    // Continues until the call is decided or has to wait.
    private Progress Advance(ref TimeSpan now, ref TimeSpan until)
    {
        while (true)
        {
            if (IsDecided(now))
                return Progress.Decided;
            if (_first.Lease is not null)
            {
                var due = NextDue(now, out var isStarted);
                if (!isStarted)
                {
                    call.Signal.Arm(due, now);
                    return Progress.AttemptUnderWay;
                }
            }
            else
            {
                var next = engine.Next(call, now);
                if (next.Kind == StepKind.GiveUp)
                {
                    _end = TakeRefusal() ?? Refused(next.Why, now);
                    return Progress.Decided;
                }
                if (next.Kind == StepKind.Start)
                {
                    StartFirst(next.Lease!);
                }
                else if (_waiter is not null)
                {
                    until = next.Until;
                    return Progress.InQueue;
                }
                else if (!engine.Queue.TryEnter(call.Profile.Priority, out _waiter)) // and examine once more: a place that became free before this entry did not wake this waiter
                {
                    _end = Refused("too many calls are waiting already.", now);
                    return Progress.Decided;
                }
                else
                {
                    engine.NoteWaiting(call, now);
                }
            }
            now = engine.Clock.Now; // the new attempt may have ended already
        }
    }

    private void StartFirst(Lease lease)
    {
        _waiter?.LeaveQueue();
        (_waiter, call.WasReleased) = (null, false);
        call.LeaveReturn();
        if (!lease.AsksOutage)
        {
            engine.Resign(call); // this attempt is no trial of the outage, so another call may make one
            engine.Waiting.Remove(call); // a call that makes a trial still waits for the end of the outage
        }
        Start(ref _first, lease);
    }

    private void LeaveWaitQueue()
    {
        var asked = call.IsAsker;
        engine.Resign(call);
        engine.Waiting.Remove(call);
        _waiter?.LeaveQueue(passOn: call.WasReleased || asked); // a release that was not used belongs to the next waiter
        _waiter = null;
    }

    private readonly bool IsCancelled => call.CallerToken.IsCancellationRequested || outside.IsCancellationRequested;

    // Examines the running attempts and the end of the call itself. Afterwards _first holds the attempt that is still running, if any.
    private bool IsDecided(TimeSpan now)
    {
        if (_first.Lease is not null && ExamineAttempt(ref _first, now) || _hedge.Lease is not null && ExamineAttempt(ref _hedge, now))
        {
            LeaveOthers(now);
            return true;
        }
        if (IsCancelled)
        {
            _end = Outcome.FromException<TResult>(new OperationCanceledException(call.CallerToken.IsCancellationRequested ? call.CallerToken : outside));
        }
        else if (now >= call.Deadline)
        {
            _end = OutOfTime(now);
        }
        else
        {
            if (_first.Lease is null)
                (_first, _hedge) = (_hedge, default);
            return false;
        }
        LeaveOthers(now);
        return true;
    }

    // Examines one attempt. True if it decides the call.
    private bool ExamineAttempt(ref RunningAttempt attempt, TimeSpan now)
    {
        var lease = attempt.Lease!;
        if (attempt.HasEnded)
            return Harvest(ref attempt, now);
        if (IsCancelled)
            return TryEndAttempt(ref attempt, KnownFaults.CallerCancelled, now);
        if (now < lease.TimeoutAt && now < call.Deadline)
            return false;
        if (now < call.Deadline && now < lease.EndsAt && engine.KeepsSilent(call, lease, now))
        {
            lease.KeepUntilEnd(now);
            call.LastFailure = lease.Started; // an endpoint that has served other calls since then shows that it serves
            return false;
        }
        var fault = OverdueFault(lease, now);
        var endpoint = lease.State.Endpoint.Name;
        if (TryEndAttempt(ref attempt, fault, now))
            return true;
        if (fault.IsNeutral || engine.ActionFor(call, fault, now) != FaultAction.Return)
            return false;
        _end = Outcome.FromException<TResult>(new TimeoutException($"Endpoint '{endpoint}' was given up ({fault.Kind}), and is not to be asked again."));
        return true;
    }

    private bool Harvest(ref RunningAttempt attempt, TimeSpan now)
    {
        var lease = attempt.Lease!;
        var outcome = runner.Harvest(attempt.Task, lease, now);
        attempt = default;
        var fault = lease.Fault;
        if (fault is null && outcome.Exception is null)
        {
            engine.Served(call, lease, now);
            _end = outcome;
            return true;
        }
        fault ??= KnownFaults.Unknown;
        lease.Complete(fault, now); // already done, unless a strategy around the guard threw
        engine.Release(call, lease, fault, now);
        if (fault.Kind is FaultKind.CallerCancelled or FaultKind.DeadlineExceeded or FaultKind.Superseded)
        {
            Discard(outcome);
            return false; // the end of the call itself reports the same
        }
        var isOver = engine.ActionFor(call, fault, now) == FaultAction.Return;
        if (isOver && !(fault.IsRefusal && _hasRefusal))
        {
            _end = outcome;
            return true;
        }
        KeepOutcome(outcome, fault.IsRefusal);
        if (isOver)
            _end = TakeRefusal()!.Value;
        return isOver;
    }

    // Keeps the first refusal and the last other failure: the caller may get one of them.
    private void KeepOutcome(Outcome<TResult> outcome, bool isRefusal)
    {
        if (isRefusal && _hasRefusal)
        {
            Discard(outcome);
        }
        else if (isRefusal)
        {
            (_refusal, _hasRefusal) = (outcome, true);
        }
        else
        {
            if (_hasLast)
                Discard(_last);
            (_last, _hasLast) = (outcome, true);
        }
    }

    // A refusal goes back unchanged when no other endpoint could serve the call. Of several refusals the first goes back, even if an endpoint that was asked
    // later is down.
    private Outcome<TResult>? TakeRefusal()
    {
        if (!_hasRefusal)
            return null;
        var refusal = _refusal;
        (_refusal, _hasRefusal) = (default, false);
        DisposeKept();
        return refusal;
    }

    // Cancels an attempt. A well-behaved callback ends at once and reports how; a callback that ignores its token is abandoned and does not delay the call.
    private bool TryEndAttempt(ref RunningAttempt attempt, Fault fault, TimeSpan now)
    {
        var lease = attempt.Lease!;
        lease.Cancel(fault);
        if (!attempt.IsUnderWay || !lease.TryAbandon(new Orphan(runner, attempt.Task, lease)))
            return Harvest(ref attempt, now);
        lease.Complete(fault, now);
        attempt = default;
        engine.Release(call, lease, fault, now);
        return false;
    }

    // The call is decided, so the attempts that still run have lost. An attempt that was silent for longer than usual counts as silent; otherwise its
    // endpoint would keep its traffic.
    private void LeaveOthers(TimeSpan now)
    {
        var end = _end;
        LeaveLoser(ref _first, now);
        LeaveLoser(ref _hedge, now);
        _end = end;
        DisposeKept();
    }

    private void LeaveLoser(ref RunningAttempt attempt, TimeSpan now)
    {
        if (attempt.Lease is not { } lease)
            return;
        if (TryEndAttempt(ref attempt, engine.WasUnusuallySilent(call, lease, now) ? KnownFaults.FirstContentTimeout : KnownFaults.Superseded, now))
            Discard(_end);
    }

    // Gets the time of the next examination, unless something happens earlier. Starts a second attempt if it is time for one.
    private TimeSpan NextDue(TimeSpan now, out bool isStarted)
    {
        isStarted = false;
        var due = Min(_first.Lease!.TimeoutAt, call.Deadline);
        if (_hedge.Lease is { } hedge)
            return Min(due, hedge.TimeoutAt);
        if (_first.Lease.KeptSince is not null)
            return Min(due, StartBeside(now, out isStarted));
        var hedgeAt = call.HedgeWasConsidered ? TimeSpan.MaxValue : engine.HedgeAt(call, _first.Lease);
        if (hedgeAt > now)
            return Min(due, hedgeAt);
        if (engine.TryHedge(call, now) is not { } lease)
            return due;
        Start(ref _hedge, lease);
        isStarted = true;
        return now;
    }

    // The one running attempt is silent for longer than usual and is kept; a second attempt may start beside it. Gets the time of the next examination.
    private TimeSpan StartBeside(TimeSpan now, out bool isStarted)
    {
        isStarted = false;
        if (!call.Profile.MayRepeat)
            return TimeSpan.MaxValue;
        Step step;
        try
        {
            step = engine.NextBeside(call, now);
        }
#pragma warning disable CA1031 // A selector of the user's that throws now would leave the attempt that is under way to itself.
        catch (Exception)
#pragma warning restore CA1031
        {
            return TimeSpan.MaxValue;
        }
        if (step.Kind == StepKind.Wait)
            return step.Until;
        if (step.Kind == StepKind.GiveUp)
            return TimeSpan.MaxValue;
        Start(ref _hedge, step.Lease!);
        isStarted = true;
        return now;
    }

    private void Start(ref RunningAttempt attempt, Lease lease)
    {
        var task = runner.Begin(lease);
        attempt = new RunningAttempt { Lease = lease, Task = task, IsUnderWay = !task.IsCompleted };
        if (attempt.IsUnderWay)
            task.ConfigureAwait(false).GetAwaiter().UnsafeOnCompleted(lease.WhenDone(call.Signal.Setter));
    }

    private Outcome<TResult> OutOfTime(TimeSpan now) => Outcome.FromException<TResult>(new DeadlineExceededException(
        engine.Settings.Pool, call.DeadlineSpan, call.Attempts(now), engine.RetryAfter(call, now), TakeLastException(), call.History.Begun, call.WaitRules()));

    private Outcome<TResult> Refused(string why, TimeSpan now) => Outcome.FromException<TResult>(new NoEndpointAvailableException(
        engine.Settings.Pool, why, call.Attempts(now), engine.Explain(call, now), engine.RetryAfter(call, now), TakeLastException(), call.History.Begun, call.WaitRules()));

    // If the end of the call cut the attempt short, the silence is not the endpoint's fault.
    private Fault OverdueFault(Lease lease, TimeSpan now)
    {
        if (now >= call.Deadline && !engine.IsSilent(call, lease, now))
            return KnownFaults.DeadlineExceeded;
        if (lease.FirstContentAt is not null)
            return KnownFaults.AttemptTimeout;
        return engine.WasCutShort(call, lease, now) ? KnownFaults.DeadlineExceeded : KnownFaults.FirstContentTimeout;
    }

    private Exception? TakeLastException()
    {
        var refusal = _hasRefusal ? _refusal.Exception : null;
        var inner = _hasLast ? _last.Exception : refusal;
        DisposeKept();
        return inner;
    }

    private void DisposeKept()
    {
        if (_hasLast)
            Discard(_last);
        if (_hasRefusal)
            Discard(_refusal);
        (_last, _hasLast, _refusal, _hasRefusal) = (default, false, default, false);
    }

    // Disposes a result that no caller will see: the response of a failed or losing attempt.
    private static void Discard(Outcome<TResult> outcome)
    {
        if (outcome.Exception is null)
            Discards.DisposeResult(outcome.Result);
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private sealed class Orphan(TRunner runner, ValueTask<TRaw> task, Lease lease) : IOrphan
    {
        public void Reap()
        {
            Discard(runner.TakeResult(task));
            lease.GiveBackContext();
        }
    }
}

/// <summary>Disposes a result that no caller will see.</summary>
internal static class Discards
{
    public static void DisposeResult(object? result)
    {
        if (result is IAsyncDisposable later)
            Dispose(later);
        else if (result is IDisposable now)
            now.Dispose();
    }

    private static async void Dispose(IAsyncDisposable result)
    {
        try
        {
            await result.DisposeAsync().ConfigureAwait(false);
        }
#pragma warning disable CA1031 // A discarded result has no caller that could handle its exception.
        catch (Exception)
#pragma warning restore CA1031
        {
        }
    }
}
