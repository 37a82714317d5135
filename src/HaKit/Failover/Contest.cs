using System.Runtime.CompilerServices;
using HaKit.Endpoints;
using HaKit.Faults;
using Polly;

namespace HaKit.Failover;

/// <summary>
/// The only loop: runs the attempts of one call until one serves, the call's own end comes (cancelled, out of time), or nothing is left to try.
/// It acts on the state of things whenever the call's pulse beats, so it does not matter what set the pulse, how often, or how late.
/// </summary>
internal sealed class Contest<TResult, TState>(
    FailoverEngine engine,
    FailoverCall call,
    Func<ResilienceContext, TState, ValueTask<Outcome<TResult>>> callback,
    ResilienceContext context,
    TState state)
{
    private Runner _runner;
    private Outcome<TResult> _last;
    private bool _hasLast;

    private struct Runner
    {
        public Lease? Lease;
        public ValueTask<Outcome<TResult>> Task;
    }

    public ValueTask<Outcome<TResult>> RunAsync(Lease lease, ValueTask<Outcome<TResult>> task)
    {
        _runner = Enter(lease, task);
        return RunAsync(default(Step?));
    }

    public async ValueTask<Outcome<TResult>> RunAsync(Step? step)
    {
        var registration = call.CallerToken.UnsafeRegister(static pulse => ((Pulse)pulse!).Set(), call.Pulse);
        try
        {
            while (true)
            {
                var now = engine.Clock.Now;
                if (_runner.Lease is not null)
                {
                    if (Look(now) is { } end)
                        return end;
                    if (_runner.Lease is { } running)
                    {
                        call.Pulse.Arm(running.TimeoutAt, now);
                        await call.Pulse.WaitAsync().ConfigureAwait(false);
                        continue;
                    }
                }
                if (call.CallerToken.IsCancellationRequested)
                    return Cancelled();
                if (now >= call.Deadline)
                    return OutOfTime(now);
                var next = step ?? engine.Next(call, now);
                step = null;
                switch (next.Kind)
                {
                    case StepKind.Start:
                        _runner = Enter(next.Lease!, FailoverStrategy.Attempt(next.Lease!, callback, context, state));
                        break;
                    case StepKind.Wait:
                        if (!await WaitAsync(next.Until, now).ConfigureAwait(false))
                            return Refused("too many calls are waiting already.", now);
                        break;
                    default:
                        return Refused(next.Why, now);
                }
            }
        }
        finally
        {
            registration.Dispose();
        }
    }

    // What has become of the attempt in flight? The call's outcome if that is now decided.
    private Outcome<TResult>? Look(TimeSpan now)
    {
        var lease = _runner.Lease!;
        if (_runner.Task.IsCompleted)
            return Harvest(now);
        if (call.CallerToken.IsCancellationRequested)
        {
            return Abandon(KnownFaults.CallerCancelled, now) ?? Cancelled();
        }
        if (now < lease.TimeoutAt)
            return null;
        var outOfTime = now >= call.Deadline;
        var fault = outOfTime && !engine.IsSilent(call, lease, now) ? KnownFaults.DeadlineExceeded
            : lease.FirstContentAt is null ? KnownFaults.FirstContentTimeout
            : KnownFaults.AttemptTimeout;
        if (Abandon(fault, now) is { } finished)
            return finished;
        if (outOfTime)
            return OutOfTime(now);
        return FailoverPolicy.ActionFor(fault, call.Profile) == FaultAction.Return
            ? Outcome.FromException<TResult>(new TimeoutException($"Endpoint '{call.History.Entries[^1].Endpoint.Name}' was given up ({fault.Kind}), and the request may not be repeated."))
            : null;
    }

    private Outcome<TResult>? Harvest(TimeSpan now)
    {
        var lease = _runner.Lease!;
        var outcome = Result(_runner.Task);
        _runner = default;
        var fault = lease.Fault;
        if (fault is null && outcome.Exception is null)
        {
            DisposeLast();
            engine.Served(call, lease);
            return outcome;
        }
        fault ??= KnownFaults.Unknown;
        engine.Release(call, lease, fault, now);
        DisposeLast();
        (_last, _hasLast) = (outcome, true);
        if (fault.Kind == FaultKind.CallerCancelled)
            return Cancelled();
        if (FailoverPolicy.ActionFor(fault, call.Profile) == FaultAction.MoveOn)
            return null;
        _hasLast = false;
        return outcome;
    }

    // Cancels the attempt. Well-behaved callbacks end at once and tell how; one that ignores its token is left to itself and delays nobody.
    private Outcome<TResult>? Abandon(Fault fault, TimeSpan now)
    {
        var lease = _runner.Lease!;
        lease.Cancel(fault);
        var orphan = new Orphan(_runner.Task, lease);
        if (!lease.TryAbandon(orphan))
            return Harvest(now);
        lease.Complete(fault, now);
        _runner = default;
        engine.Release(call, lease, fault, now);
        return null;
    }

    private async ValueTask<bool> WaitAsync(TimeSpan until, TimeSpan now)
    {
        if (!engine.Queue.TryEnter(call.Profile.Priority, out var waiter))
            return false;
        try
        {
            await waiter.WaitAsync(until == TimeSpan.MaxValue ? null : until - now, call.CallerToken).ConfigureAwait(false);
        }
        finally
        {
            waiter.Leave();
        }
        call.Waited += engine.Clock.Now - now;
        return true;
    }

    private Runner Enter(Lease lease, ValueTask<Outcome<TResult>> task)
    {
        if (!task.IsCompleted)
            task.ConfigureAwait(false).GetAwaiter().UnsafeOnCompleted(lease.WhenDone(call.Pulse.Beat));
        return new Runner { Lease = lease, Task = task };
    }

    private Outcome<TResult> Cancelled()
    {
        DisposeLast();
        return Outcome.FromException<TResult>(new OperationCanceledException(call.CallerToken));
    }

    private Outcome<TResult> OutOfTime(TimeSpan now)
    {
        var inner = TakeLastException();
        return Outcome.FromException<TResult>(new DeadlineExceededException(
            engine.Settings.Pool, call.DeadlineSpan, call.Attempts(now), engine.RetryAfter(call, now), inner));
    }

    private Outcome<TResult> Refused(string why, TimeSpan now)
    {
        var inner = TakeLastException();
        return Outcome.FromException<TResult>(new NoEndpointAvailableException(
            engine.Settings.Pool, why, call.Attempts(now), engine.Explain(call, now), engine.RetryAfter(call, now), inner));
    }

    private Exception? TakeLastException()
    {
        var inner = _hasLast ? _last.Exception : null;
        DisposeLast();
        return inner;
    }

    private void DisposeLast()
    {
        if (_hasLast)
            Discard(_last);
        (_last, _hasLast) = (default, false);
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
        if (outcome.Exception is null && outcome.Result is IDisposable result)
            result.Dispose();
    }

    private sealed class Orphan(ValueTask<Outcome<TResult>> task, Lease lease) : IOrphan
    {
        public void Reap()
        {
            Discard(Result(task));
            lease.GiveBackContext();
        }
    }
}
