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
    private bool _hasLast;

    public bool HasRefusal { get; private set; }

    public void Add(Outcome<TResult> outcome, bool isRefusal)
    {
        if (isRefusal && HasRefusal)
        {
            Discards.DisposeResult(outcome);
        }
        else if (isRefusal)
        {
            (_refusal, HasRefusal) = (outcome, true);
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
    public Outcome<TResult>? TakeRefusal()
    {
        if (!HasRefusal)
            return null;
        var refusal = _refusal;
        (_refusal, HasRefusal) = (default, false);
        Clear();
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
        (_last, _hasLast, _refusal, HasRefusal) = (default, false, default, false);
    }
}
