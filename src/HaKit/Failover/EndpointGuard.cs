using HaKit.Attempts;
using HaKit.Estimates;
using HaKit.Faults;

namespace HaKit.Failover;

/// <summary>Classifies the end of an attempt, and completes its lease with this evidence. Has no state. Thread-safe.</summary>
internal sealed class EndpointGuard(IFaultClassifier classifier, TimeProvider time)
{
    /// <summary>Completes the lease of an attempt that has ended.</summary>
    /// <param name="lease">The attempt.</param>
    /// <param name="exception">The exception of the attempt; null if there was none.</param>
    /// <param name="now">The current time on the pool's clock.</param>
    public void CompleteLease(Lease lease, Exception? exception, TimeSpan now)
    {
        if (exception is null && lease.Declared is null)
        {
            if (lease.IsHandedOver)
                lease.RecordFirstContent(now);
            else
                lease.Complete(null, now);
            return;
        }
        lease.IsHandedOver = false;
        lease.Fault = FindFault(lease, exception);
        lease.Complete(lease.Fault, now);
    }

    /// <summary>
    /// Gets the fault of an attempt that has failed. If the pool has cancelled the attempt, every exception is a consequence of the cancellation. Only the
    /// caller's token decides whether the caller has cancelled, never the type of the exception.
    /// </summary>
    /// <param name="lease">The attempt.</param>
    /// <param name="exception">The exception of the attempt; null if the attempt only reported a fault.</param>
    public Fault FindFault(Lease lease, Exception? exception)
    {
        if (exception is not null && lease.CancelledFor is { } why)
            return why;
        if (lease.CallerToken.IsCancellationRequested && exception is OperationCanceledException)
            return KnownFaults.CallerCancelled;
        return lease.Declared ?? lease.WithoutSecret(
            OwnFaults.In(exception)
            ?? classifier.Classify(new FaultEvidence { Exception = exception, Dialect = lease.State.Endpoint.Dialect, Request = lease.Request, Now = time.GetUtcNow() })
            ?? KnownFaults.Unknown);
    }
}
