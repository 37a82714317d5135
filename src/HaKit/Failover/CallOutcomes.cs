using HaKit.Attempts;
using HaKit.Faults;
using HaKit.Telemetry;

namespace HaKit.Failover;

/// <summary>Determines how a call ended, and records it in metrics and traces.</summary>
internal sealed class CallOutcomes(FailoverContext context, IFaultClassifier classifier)
{
    /// <summary>Classifies an exception of an attempt on an endpoint.</summary>
    public Fault Classify(Exception exception, PoolEndpoint endpoint) => Classify(exception, endpoint.Dialect);

    private Fault Classify(Exception exception, WireDialect dialect) =>
        OwnFaults.In(exception) ?? classifier.Classify(new FaultEvidence { Exception = exception, Dialect = dialect, Now = context.Clock.Time.GetUtcNow() }) ?? KnownFaults.Unknown;

    /// <summary>Gets how a call ended, and the name of the error that ended it. Null: no error.</summary>
    /// <param name="call">The call.</param>
    /// <param name="failure">The exception that the caller gets instead of an answer; null for an answer.</param>
    public (CallOutcome Outcome, string? Error) FindOutcome(FailoverCall call, Exception? failure)
    {
        switch (failure)
        {
            case null when call.IsServed || call.History.IsFresh:
                return (CallOutcome.Served, null);
            case null: // a refusal that is a result, not an exception
                return FindOutcome(call.FaultBehind(null) ?? call.History.Entries[^1].Fault ?? KnownFaults.Unknown);
            // The pool gave the attempt up because the call had no more time for it. The caller did not cancel, so the call has failed.
            case TimeoutException when call.FaultBehind(failure) is { Kind: FaultKind.DeadlineExceeded }:
                return (CallOutcome.Failed, nameof(FaultKind.DeadlineExceeded));
            case not null when call.FaultBehind(failure) is { } fault:
                return FindOutcome(fault);
            case DeadlineExceededException:
                return (CallOutcome.Failed, nameof(FaultKind.DeadlineExceeded));
            case NoEndpointAvailableException:
                return (CallOutcome.Failed, "NoEndpointAvailable");
            case OperationCanceledException when call.CallerToken.IsCancellationRequested:
                return (CallOutcome.Caller, nameof(FaultKind.CallerCancelled));
            default:
                // Without an attempt, the exception comes from a strategy around the failover.
                return FindOutcome(Classify(failure, call.History.IsFresh ? WireDialect.Unknown : call.History.Entries[^1].Endpoint.Dialect));
        }
    }

    /// <summary>Records how a call ended. The span of a stream continues with the stream; its attempt ends it.</summary>
    public void RecordOutcome(FailoverCall call, CallOutcome outcome, string? error)
    {
        var span = call.Span;
        var took = (call.IsServed ? call.ServedAt : context.Clock.Now) - call.Started;
        // If the answer of a call is cut, the rest belongs to the span of this call, and this call ends the span.
        if (call.Profile.IsContinuation)
            return;
        context.Telemetry.RecordEnd(span, took, call.Waited, outcome, error, call.Rules == 0 ? null : string.Join(',', call.WaitRules()));
        if (outcome == CallOutcome.Served && HasFailure(call.History))
            context.Telemetry.RecordSavedCall();
        if (span is null)
            return;
        if (call.HandedOver is { IsCompleted: false } lease)
            lease.CallStarted = call.Started;
        else
            PoolTelemetry.EndSpan(span, took, error);
    }

    // An attempt that lost to a faster second attempt has not failed.
    private static bool HasFailure(AttemptHistory history)
    {
        foreach (ref readonly var entry in history.Entries)
        {
            if (entry.Fault is { Blame: FaultBlame.Endpoint or FaultBlame.Throttle, Kind: not FaultKind.Superseded })
                return true;
        }
        return false;
    }

    private static (CallOutcome, string) FindOutcome(Fault fault) => (fault.Blame switch
    {
        FaultBlame.Request => CallOutcome.Request,
        FaultBlame.Caller => CallOutcome.Caller,
        _ => CallOutcome.Failed,
    }, fault.KindName);
}
