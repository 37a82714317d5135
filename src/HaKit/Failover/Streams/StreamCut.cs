using HaKit.Attempts;
using HaKit.Faults;

namespace HaKit.Failover;

/// <summary>The cut of an answer after its first content: its fault, and the exception for the caller.</summary>
internal sealed class StreamCut
{
    private readonly FailoverEngine _engine;
    private readonly Lease _lease;
    private readonly Fault _fault;
    private readonly Exception? _exception;

    /// <param name="engine">The pool's engine.</param>
    /// <param name="lease">The lease of the attempt whose answer was cut.</param>
    /// <param name="fault">The fault. Null to classify the exception.</param>
    /// <param name="exception">The exception of the source. Null if the source threw no exception.</param>
    public StreamCut(FailoverEngine engine, Lease lease, Fault? fault, Exception? exception)
    {
        (_engine, _lease, _exception) = (engine, lease, exception);
        // If the pool has cancelled the attempt, every exception of the source is a consequence of the cancellation.
        _fault = lease.WithoutSecret(fault ?? (!lease.IsCompleted && lease.CancelledFor is { } why ? why : engine.Outcomes.Classify(exception!, lease.State.Endpoint)));
        Evidence = _fault with { Applied = FaultApplied.Partial };
    }

    /// <summary>Gets the fault as evidence against the endpoint: a part of the answer was delivered.</summary>
    public Fault Evidence { get; }

    /// <summary>Gets the attempts of the call. The fault of the last, served attempt is the cut.</summary>
    public AttemptTotals AttemptsOf(CallDetail? detail, TimeSpan now)
    {
        if (detail is null)
            return AttemptTotals.None;
        var listed = detail.Attempts.Select(a => a.Fault is null ? a with { Fault = Evidence, Duration = now - _lease.Started } : a);
        return new([.. listed], detail.AttemptCount, detail.PerhapsBilled + 1, detail.WaitRules); // the details do not count the attempt that was served, and is now cut
    }

    /// <summary>Creates the exception for the caller.</summary>
    /// <param name="attempts">The attempts of the call.</param>
    /// <param name="delivered">The number of items with content that the caller has received.</param>
    /// <param name="closing">The exception from closing the source. Null if there was no exception.</param>
    public PartialResponseException ToException(AttemptTotals attempts, int delivered, Exception? closing)
    {
        var inner = _exception is not null && closing is not null ? new AggregateException(_exception, closing) : _exception ?? closing;
        return new PartialResponseException(_engine.Settings.Pool, _lease.State.Endpoint.Name, Evidence, delivered, attempts, _fault.RetryAfter, inner);
    }
}
