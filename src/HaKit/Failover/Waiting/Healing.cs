using HaKit.Faults;

namespace HaKit.Failover.Waiting;

/// <summary>Does waiting help against a fault?</summary>
internal enum Healing
{
    /// <summary>No: a key, a model, a quota, the request itself.</summary>
    Never,

    /// <summary>The fault does not tell: it may be a hiccup, or a build that is broken. A call makes a few retries, and no more.</summary>
    Doubtful,

    /// <summary>Yes: connecting failed, the endpoint is overloaded, throttled, silent or broken for the moment.</summary>
    InTime,
}

/// <summary>Which faults time heals.</summary>
internal static class FaultHealing
{
    public static Healing Classify(Fault fault) => fault.Kind switch
    {
        // An endpoint that named a time is expected to be back then.
        _ when fault.NamesTime => Healing.InTime,
        _ when fault.UntilCleared || fault.IsRefusal || fault.IsNeutral && fault.Kind is not (FaultKind.Superseded or FaultKind.DeadlineExceeded or FaultKind.CallerCancelled) => Healing.Never,
        FaultKind.Unauthorized or FaultKind.Forbidden or FaultKind.QuotaExhausted or FaultKind.ModelNotFound => Healing.Never,
        FaultKind.InvalidRequest or FaultKind.RequestTooLarge or FaultKind.ContextLength or FaultKind.ContentFilter => Healing.Never,
        FaultKind.Unknown => Healing.Doubtful,
        _ => Healing.InTime,
    };
}
