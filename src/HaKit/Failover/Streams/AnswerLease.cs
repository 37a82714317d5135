using HaKit.Attempts;
using HaKit.Faults;
using HaKit.Telemetry;

namespace HaKit.Failover;

/// <summary>Ends the lease of an attempt whose answer continues after its call, and the call's span. A mutable struct that is stored in its stream.</summary>
internal struct AnswerLease(FailoverEngine engine, Lease lease)
{
    private TimeSpan? _spanStarted;

    /// <summary>Completes the lease. The endpoint's capacity is then free, and a waiting call is released.</summary>
    public readonly void Complete(Fault? fault, TimeSpan now)
    {
        if (lease.Complete(fault, now))
            engine.Results.ReleaseWaiter();
    }

    /// <summary>Declares the attempt's fault, and creates the exception for it.</summary>
    public readonly EndpointFaultException DeclareFault(Fault fault)
    {
        lease.Declared = fault;
        return new EndpointFaultException(lease.State.Endpoint.Name, lease.Declared);
    }

    /// <summary>
    /// Prepares the lease for a seam. The provider bills the part that it sent, and reports usage only at the end, so the delivered items are counted. The call's span
    /// continues across the seam.
    /// </summary>
    public void PrepareSeam(int delivered)
    {
        if (lease.OutputTokens is null)
            lease.CountTokens(lease.InputTokens ?? (lease.EstimatedInputTokens > 0 ? lease.EstimatedInputTokens : null), delivered);
        (_spanStarted, lease.CallStarted) = (lease.CallStarted, null);
    }

    /// <summary>Ends the call's span, if it has continued across a seam.</summary>
    public void EndSpan(string? error)
    {
        if (_spanStarted is not { } began)
            return;
        _spanStarted = null;
        PoolTelemetry.EndSpan(lease.CallSpan!, lease.Clock.Now - began, error);
    }
}
