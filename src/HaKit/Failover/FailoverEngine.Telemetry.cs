using HaKit.Attempts;
using HaKit.Estimates;
using HaKit.Faults;
using HaKit.Telemetry;

namespace HaKit.Failover;

/// <content>Reports calls to telemetry.</content>
internal sealed partial class FailoverEngine
{
    /// <summary>Gets how a call ended, and the error that ended it. Null: no error.</summary>
    public (CallOutcome Outcome, string? Error) FindOutcome(FailoverCall call, Exception? failure)
    {
        switch (failure)
        {
            case null when call.IsServed || call.History.IsFresh:
                return (CallOutcome.Served, null);
            case null: // a refusal that is a result, not an exception
                return FindOutcome(call.History.Entries[^1].Fault ?? KnownFaults.Unknown);
            case DeadlineExceededException:
                return (CallOutcome.Failed, nameof(FaultKind.DeadlineExceeded));
            case EndpointPoolException:
                return (CallOutcome.Failed, "NoEndpointAvailable");
            case OperationCanceledException:
                return (CallOutcome.Caller, nameof(FaultKind.CallerCancelled));
            default:
                return FindOutcome(Classify(failure, Snapshot.Members[0].Endpoint));
        }
    }

    private static (CallOutcome, string) FindOutcome(Fault fault) => (fault.Blame switch
    {
        FaultBlame.Request => CallOutcome.Request,
        FaultBlame.Caller => CallOutcome.Caller,
        _ => CallOutcome.Failed,
    }, fault.KindName);

    // The span of a stream continues with the stream; its attempt ends it.
    private void RecordOutcome(FailoverCall call, CallOutcome outcome, string? error)
    {
        var span = call.Span;
        var took = (call.IsServed ? call.ServedAt : Clock.Now) - call.Started;
        // The rest of a cut answer belongs to the span of the call whose answer was cut, and that call ends the span.
        if (call.Profile.IsContinuation)
            return;
        Telemetry.Ended(span, took, call.Waited, outcome, error, call.Rules == 0 ? null : string.Join(',', call.WaitRules()));
        if (span is null)
            return;
        if (call.HandedOver is { IsCompleted: false } lease)
            lease.CallStarted = call.Started;
        else
            PoolTelemetry.EndSpan(span, took, error);
    }

    // Reports a retry or a failover. The attempt that is about to begin is not in the history yet.
    private void TellAgain(FailoverCall call, EndpointState state)
    {
        ref readonly var last = ref call.History.Entries[^1];
        var why = call.History.TimesTried(state) > 0 ? NextAttempt.Retry : NextAttempt.Failover;
        if (last.Ended is null)
            why = NextAttempt.Hedge;
        Telemetry.RecordNextAttempt(call.Span, why, last.Endpoint.Name, state.Endpoint.Name, last.Fault?.KindName);
    }
}
