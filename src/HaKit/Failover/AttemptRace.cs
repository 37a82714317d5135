using HaKit.Attempts;
using HaKit.Estimates;
using HaKit.Faults;
using HaKit.Limits;
using Polly;

namespace HaKit.Failover;

/// <summary>
/// The only loop: runs the attempts of one call until one serves, the call's own end comes (cancelled, out of time), or nothing is left to try.
/// It acts on the state of things whenever the call's signal is set, so it does not matter what set the signal, how often, or how late.
/// </summary>
internal sealed class AttemptRace<TResult, TState>(
    FailoverEngine engine,
    FailoverCall call,
    Func<ResilienceContext, TState, ValueTask<Outcome<TResult>>> callback,
    ResilienceContext context,
    TState state)
{
    private readonly CancellationToken _outside = context.CancellationToken;
    private RunningAttempt _first;
    private RunningAttempt _hedge;
    private Waiter? _waiter;
    private Outcome<TResult> _end;
    private Outcome<TResult> _refusal;
    private Outcome<TResult> _last;
    private bool _hasLast;
    private bool _hasRefusal;
    private bool _lastIsRefusal;

    private struct RunningAttempt
    {
        public Lease? Lease;
        public ValueTask<Outcome<TResult>> Task;

        /// <summary>It was under way when it was entered: it has ended when its lease was told so, not when the task looks completed,
        /// because the lease must not be put away while that news is still coming.</summary>
        public bool IsUnderWay;

        public readonly bool HasEnded => !IsUnderWay || Lease!.IsAttemptDone;
    }

    public ValueTask<Outcome<TResult>> RunAsync(Lease lease, ValueTask<Outcome<TResult>> task)
    {
        Enter(ref _first, lease, task);
        return RunAsync(default(Step?));
    }

    public async ValueTask<Outcome<TResult>> RunAsync(Step? step)
    {
        var registration = call.CallerToken.UnsafeRegister(static signal => ((AsyncSignal)signal!).Set(), call.Signal);
        // A strategy outside, such as a timeout, may end the call by a token of its own.
        var outside = _outside == call.CallerToken ? default : _outside.UnsafeRegister(static signal => ((AsyncSignal)signal!).Set(), call.Signal);
        try
        {
            while (true)
            {
                var now = engine.Clock.Now;
                if (IsDecided(now))
                    return _end;
                if (_first.Lease is not null)
                {
                    call.Signal.Arm(NextDue(now), now);
                    await call.Signal.WaitAsync().ConfigureAwait(false);
                    continue;
                }
                var next = step ?? engine.Next(call, now);
                step = null;
                if (next.Kind == StepKind.Start)
                {
                    _waiter?.Leave();
                    (_waiter, call.WasReleased) = (null, false);
                    call.LeaveReturn();
                    if (!next.Lease!.AsksOutage)
                        engine.Resign(call); // it goes for its own sake; another may ask
                    Start(ref _first, next.Lease!);
                }
                else if (next.Kind == StepKind.GiveUp)
                {
                    return TakeRefusal() ?? Refused(next.Why, now);
                }
                else if (!await WaitAsync(next.Until, now).ConfigureAwait(false))
                {
                    return Refused("too many calls are waiting already.", now);
                }
            }
        }
        finally
        {
            registration.Dispose();
            outside.Dispose();
            var asked = call.IsAsker;
            engine.Resign(call);
            _waiter?.Leave(passOn: call.WasReleased || asked); // a release that was not used belongs to the next in line
        }
    }

    private bool IsCancelled => call.CallerToken.IsCancellationRequested || _outside.IsCancellationRequested;

    // Looks at what runs, and at the call's own end. Afterwards what still runs, if anything, is in _first.
    private bool IsDecided(TimeSpan now)
    {
        if (_first.Lease is not null && Look(ref _first, now) || _hedge.Lease is not null && Look(ref _hedge, now))
        {
            LeaveOthers(now);
            return true;
        }
        if (IsCancelled)
        {
            _end = Outcome.FromException<TResult>(new OperationCanceledException(call.CallerToken.IsCancellationRequested ? call.CallerToken : _outside));
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

    // What has become of one attempt? True if the call is decided by it.
    private bool Look(ref RunningAttempt attempt, TimeSpan now)
    {
        var lease = attempt.Lease!;
        if (attempt.HasEnded)
            return Harvest(ref attempt, now);
        if (IsCancelled)
            return Leave(ref attempt, KnownFaults.CallerCancelled, now);
        if (now < lease.TimeoutAt && now < call.Deadline)
            return false;
        if (now < call.Deadline && now < lease.EndsAt && engine.KeepsSilent(call, lease, now))
        {
            lease.Keep(now);
            call.LastFailure = lease.Started; // what other calls were served since then shows that their endpoints serve
            return false;
        }
        var fault = now >= call.Deadline && !engine.IsSilent(call, lease, now) ? KnownFaults.DeadlineExceeded
            : lease.FirstContentAt is null ? engine.WasCutShort(call, lease, now) ? KnownFaults.DeadlineExceeded : KnownFaults.FirstContentTimeout
            : KnownFaults.AttemptTimeout;
        var endpoint = lease.State.Endpoint.Name;
        if (Leave(ref attempt, fault, now))
            return true;
        if (fault.IsNeutral || engine.ActionFor(call, fault, now) != FaultAction.Return)
            return false;
        _end = Outcome.FromException<TResult>(new TimeoutException($"Endpoint '{endpoint}' was given up ({fault.Kind}), and is not to be asked again."));
        return true;
    }

    private bool Harvest(ref RunningAttempt attempt, TimeSpan now)
    {
        var lease = attempt.Lease!;
        var outcome = Result(attempt.Task);
        attempt = default;
        var fault = lease.Fault;
        if (fault is null && outcome.Exception is null)
        {
            engine.Served(call, lease);
            _end = outcome;
            return true;
        }
        fault ??= KnownFaults.Unknown;
        lease.Complete(fault, now); // done already, unless a strategy around the guard threw
        engine.Release(call, lease, fault, now);
        if (fault.Kind is FaultKind.CallerCancelled or FaultKind.DeadlineExceeded or FaultKind.Superseded)
        {
            Discard(outcome);
            return false; // the call's own end says the same, in its own words
        }
        var isOver = engine.ActionFor(call, fault, now) == FaultAction.Return;
        if (isOver && !(fault.IsRefusal && _hasRefusal))
        {
            _end = outcome;
            return true;
        }
        Keep(outcome, fault.IsRefusal);
        if (isOver)
            _end = TakeRefusal()!.Value;
        return isOver;
    }

    // The first refusal and the last other failure: one of them may be what the caller gets.
    private void Keep(Outcome<TResult> outcome, bool isRefusal)
    {
        _lastIsRefusal = isRefusal;
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

    // A refusal goes back as it is once no other endpoint could serve the call: of several the first.
    private Outcome<TResult>? TakeRefusal()
    {
        if (!_hasRefusal || !_lastIsRefusal)
            return null;
        var refusal = _refusal;
        (_refusal, _hasRefusal) = (default, false);
        DisposeKept();
        return refusal;
    }

    // Cancels an attempt. Well-behaved callbacks end at once and tell how; one that ignores its token is left to itself and delays nobody.
    private bool Leave(ref RunningAttempt attempt, Fault fault, TimeSpan now)
    {
        var lease = attempt.Lease!;
        lease.Cancel(fault);
        if (!attempt.IsUnderWay || !lease.TryAbandon(new Orphan(attempt.Task, lease)))
            return Harvest(ref attempt, now);
        lease.Complete(fault, now);
        attempt = default;
        engine.Release(call, lease, fault, now);
        return false;
    }

    // The call is decided: whatever still runs has lost. One that was silent for longer than usual is counted as silent, or it would keep its traffic.
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
        if (Leave(ref attempt, engine.WasUnusuallySilent(call, lease, now) ? KnownFaults.FirstContentTimeout : KnownFaults.Superseded, now))
            Discard(_end);
    }

    private TimeSpan NextDue(TimeSpan now)
    {
        var due = _first.Lease!.TimeoutAt;
        if (_hedge.Lease is { } hedge)
            return Min(Min(due, hedge.TimeoutAt), call.Deadline);
        if (_first.Lease.KeptSince is not null)
            return Min(Min(due, StartBeside(now)), call.Deadline);
        var hedgeAt = call.HedgeWasConsidered ? TimeSpan.MaxValue : engine.HedgeAt(call, _first.Lease);
        if (hedgeAt > now)
            return Min(Min(due, hedgeAt), call.Deadline);
        if (engine.TryHedge(call, now) is not { } lease)
            return Min(due, call.Deadline);
        Start(ref _hedge, lease);
        return now; // the new attempt may have ended already: look again at once
    }

    // The one attempt under way is silent for longer than is usual, and kept: another may start beside it. When to look next.
    private TimeSpan StartBeside(TimeSpan now)
    {
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
        return now; // it may have ended already: look again at once
    }

    private async ValueTask<bool> WaitAsync(TimeSpan until, TimeSpan now)
    {
        if (_waiter is null)
            return engine.Queue.TryEnter(call.Profile.Priority, out _waiter); // and look once more: what came free until now was told to nobody
        until = Min(until, call.Deadline);
        var woken = await _waiter.WaitAsync(until == TimeSpan.MaxValue ? null : until - now, _outside.CanBeCanceled ? _outside : call.CallerToken).ConfigureAwait(false);
        call.WasReleased = woken == WaitResult.Released;
        call.Waited += engine.Clock.Now - now;
        return true;
    }

    private void Start(ref RunningAttempt attempt, Lease lease) => Enter(ref attempt, lease, FailoverStrategy.Attempt(lease, callback, context, state));

    private void Enter(ref RunningAttempt attempt, Lease lease, ValueTask<Outcome<TResult>> task)
    {
        attempt = new RunningAttempt { Lease = lease, Task = task, IsUnderWay = !task.IsCompleted };
        if (attempt.IsUnderWay)
            task.ConfigureAwait(false).GetAwaiter().UnsafeOnCompleted(lease.WhenDone(call.Signal.Setter));
        else
            call.Signal.Set();
    }

    private Outcome<TResult> OutOfTime(TimeSpan now) => Outcome.FromException<TResult>(new DeadlineExceededException(
        engine.Settings.Pool, call.DeadlineSpan, call.Attempts(now), engine.RetryAfter(call, now), TakeLastException(), call.History.Begun, call.WaitRules()));

    private Outcome<TResult> Refused(string why, TimeSpan now) => Outcome.FromException<TResult>(new NoEndpointAvailableException(
        engine.Settings.Pool, why, call.Attempts(now), engine.Explain(call, now), engine.RetryAfter(call, now), TakeLastException(), call.History.Begun, call.WaitRules()));

    private Exception? TakeLastException()
    {
        var inner = _hasLast ? _last.Exception : _hasRefusal ? _refusal.Exception : null;
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

    private static Outcome<TResult> Result(ValueTask<Outcome<TResult>> task)
    {
        try
        {
            return task.GetAwaiter().GetResult();
        }
#pragma warning disable CA1031 // A pipeline that throws instead of returning an outcome failed like any other.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            return Outcome.FromException<TResult>(exception);
        }
    }

    // A result that nobody will see: the response of a failed or losing attempt.
    private static void Discard(Outcome<TResult> outcome)
    {
        if (outcome.Exception is null)
            Discards.Of(outcome.Result);
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private sealed class Orphan(ValueTask<Outcome<TResult>> task, Lease lease) : IOrphan
    {
        public void Reap()
        {
            Discard(Result(task));
            lease.GiveBackContext();
        }
    }
}

/// <summary>Disposes of what nobody will see.</summary>
internal static class Discards
{
    public static void Of(object? result)
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
#pragma warning disable CA1031 // What is thrown away has nobody to complain to.
        catch (Exception)
#pragma warning restore CA1031
        {
        }
    }
}
