using HaKit.Faults;
using Polly;

namespace HaKit.Failover;

/// <summary>
/// Keeps the first refusal and the last other failure of a call that is not decided yet, because the caller may get one of them. All other outcomes are
/// disposed. A mutable struct that is stored in its race.
/// </summary>
internal struct KeptOutcomes<TResult>
{
    private Outcome<TResult> _refusal;
    private Outcome<TResult> _last;
    private (string Endpoint, Fault Fault)? _refusedBy;
    private bool _hasLast;

    public readonly bool HasRefusal => _refusedBy is not null;

    /// <summary>Adds the outcome of an attempt that did not decide the call.</summary>
    /// <param name="outcome">The outcome.</param>
    /// <param name="refusal">The endpoint that refused the request, and the fault of the refusal. Null for any other failure.</param>
    public void Add(Outcome<TResult> outcome, (string Endpoint, Fault Fault)? refusal)
    {
        if (refusal is not null && HasRefusal)
        {
            Discards.DisposeResult(outcome);
        }
        else if (refusal is not null)
        {
            (_refusal, _refusedBy) = (outcome, refusal);
        }
        else
        {
            if (_hasLast)
                Discards.DisposeResult(_last);
            (_last, _hasLast) = (outcome, true);
        }
    }

    /// <summary>
    /// Takes the refusal that the caller gets unchanged if no other endpoint could serve the call. It is the first refusal, even if an endpoint that was tried
    /// later is down. Null if no endpoint refused.
    /// </summary>
    /// <param name="call">The call. The refusal is recorded as its end.</param>
    public Outcome<TResult>? TakeRefusal(FailoverCall call)
    {
        if (_refusedBy is not var (endpoint, fault))
            return null;
        var refusal = _refusal;
        (_refusal, _refusedBy) = (default, null);
        Clear();
        call.RecordEnd(endpoint, fault, refusal.Exception);
        return refusal;
    }

    /// <summary>Takes the exception that best explains why the call was not served. Null if there was none.</summary>
    public Exception? TakeException()
    {
        var refusal = HasRefusal ? _refusal.Exception : null;
        var inner = _hasLast ? _last.Exception : refusal;
        Clear();
        return inner;
    }

    /// <summary>Disposes the kept outcomes.</summary>
    public void Clear()
    {
        if (_hasLast)
            Discards.DisposeResult(_last);
        if (HasRefusal)
            Discards.DisposeResult(_refusal);
        (_last, _hasLast, _refusal, _refusedBy) = (default, false, default, null);
    }
}
