using System.Diagnostics;
using HaKit.Faults;
using HaKit.Telemetry;

namespace HaKit.Attempts;

/// <summary>Holds the spans of one attempt and of its call. Owned by one lease.</summary>
internal struct AttemptTrace
{
    /// <summary>Gets or sets the span of the call that the attempt belongs to. Null if the call is not traced.</summary>
    public Activity? CallSpan { get; set; }

    /// <summary>Gets or sets the span of the attempt.</summary>
    public Activity? Span { get; set; }

    /// <summary>
    /// Gets or sets the start time of the call. It is set only if the call has handed over its stream: then this attempt ends the call's span. Null if the call
    /// ends its span itself.
    /// </summary>
    public TimeSpan? CallStarted { get; set; }

    public readonly void RecordFirstContent(EndpointState state, TimeSpan after) => state.Telemetry?.RecordFirstContent(Span, after);

    public readonly void End(Lease lease, Fault? fault, TimeSpan now)
    {
        var error = fault?.KindName;
        var took = now - lease.Started;
        lease.State.Telemetry?.RecordEnd(Span, took, error, fault?.StatusCode ?? 0, lease.InputTokens, lease.OutputTokens, lease.CachedTokens);
        lease.State.Recorder?.RecordAttempt(lease, fault, now);
        if (CallStarted is { } began)
            PoolTelemetry.EndSpan(CallSpan!, now - began, error);
        if (fault is { Blame: not FaultBlame.Caller } && lease.State.Observer is { IsEmpty: false } observer)
            observer.ReportFailure(lease.State.Endpoint.Name, fault, lease.Number, took);
    }
}
