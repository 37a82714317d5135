using HaKit.Faults;

namespace HaKit.Failover.Waiting;

/// <summary>The effect of waiting on a fault.</summary>
internal enum Healing
{
    /// <summary>Waiting does not help: a key, a model, a quota, the request itself.</summary>
    Never,

    /// <summary>
    /// The fault does not show whether waiting helps: it may be a short failure, or a broken build. A call makes a few retries and then ends.
    /// </summary>
    Doubtful,

    /// <summary>Waiting helps: connecting failed, or the endpoint is overloaded, throttled, silent or temporarily broken.</summary>
    InTime,
}

/// <summary>Determines which faults end with time.</summary>
internal static class FaultHealing
{
    public static Healing Classify(Fault fault) => fault.Kind switch
    {
        // An endpoint that sent a Retry-After is expected to be back after this time.
        _ when fault.NamesTime => Healing.InTime,
        _ when fault.UntilCleared || fault.DoesNotHeal || fault.IsRefusal || fault.IsNeutral && fault.Kind is not (FaultKind.Superseded or FaultKind.DeadlineExceeded or FaultKind.CallerCancelled) => Healing.Never,
        FaultKind.Unauthorized or FaultKind.Forbidden or FaultKind.QuotaExhausted or FaultKind.ModelNotFound => Healing.Never,
        FaultKind.InvalidRequest or FaultKind.RequestTooLarge or FaultKind.ContextLength or FaultKind.ContentFilter => Healing.Never,
        FaultKind.Unknown => Healing.Doubtful,
        _ => Healing.InTime,
    };
}
