using HaKit.Attempts;
using HaKit.Estimates;
using HaKit.Faults;
using Polly;

namespace HaKit.Failover;

/// <summary>
/// The outermost strategy of an endpoint's pipeline: judges what the attempt came to and completes its lease with that evidence.
/// It keeps no state of its own; the lease travels in the attempt's context.
/// </summary>
internal sealed class EndpointGuardStrategy(IFaultClassifier classifier, TimeProvider time) : ResilienceStrategy
{
    public static readonly ResiliencePropertyKey<Lease> LeaseKey = new("HaKit.Lease");
    public static readonly ResiliencePropertyKey<ResilienceContext> CallContextKey = new("HaKit.CallContext");

    protected override ValueTask<Outcome<TResult>> ExecuteCore<TResult, TState>(
        Func<ResilienceContext, TState, ValueTask<Outcome<TResult>>> callback, ResilienceContext context, TState state)
    {
        if (!context.Properties.TryGetValue(LeaseKey, out var lease))
            throw new InvalidOperationException("The endpoint guard belongs inside the failover strategy, which gives it a lease.");
        ValueTask<Outcome<TResult>> task;
        try
        {
            task = callback(context, state);
        }
#pragma warning disable CA1031 // As below, for one that throws before it has returned a task.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Settle(lease, exception);
            return new(Outcome.FromException<TResult>(exception));
        }
        if (!task.IsCompletedSuccessfully)
            return AwaitAsync(task, lease);
        var outcome = task.Result;
        Settle(lease, outcome.Exception);
        return new(outcome);
    }

    private async ValueTask<Outcome<TResult>> AwaitAsync<TResult>(ValueTask<Outcome<TResult>> task, Lease lease)
    {
        Outcome<TResult> outcome;
        try
        {
            outcome = await task.ConfigureAwait(false);
        }
#pragma warning disable CA1031 // A strategy of the user's that throws is evidence like any other.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            outcome = Outcome.FromException<TResult>(exception);
        }
        Settle(lease, outcome.Exception);
        return outcome;
    }

    private void Settle(Lease lease, Exception? exception)
    {
        if (exception is null && lease.Declared is null)
        {
            var now = lease.Clock.Now;
            if (lease.IsHandedOver)
                lease.FirstContent(now);
            else
                lease.Complete(null, now);
            return;
        }
        lease.IsHandedOver = false;
        lease.Fault = Judge(lease, exception);
        lease.Complete(lease.Fault, lease.Clock.Now);
    }

    // The caller's token decides what is a cancellation by the caller, never the exception's type.
    private Fault Judge(Lease lease, Exception? exception)
    {
        if (exception is OperationCanceledException && lease.CancelledFor is { } why)
            return why;
        if (lease.CallerToken.IsCancellationRequested && exception is OperationCanceledException)
            return KnownFaults.CallerCancelled;
        return lease.Declared
            ?? OwnFaults.In(exception)
            ?? classifier.Classify(new FaultEvidence { Exception = exception, Dialect = lease.State.Endpoint.Dialect, Request = lease.Request, Now = time.GetUtcNow() })
            ?? KnownFaults.Unknown;
    }
}
