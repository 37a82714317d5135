using HaKit.AI;
using HaKit.Faults;

namespace HaKit.Batch.Running;

/// <summary>What becomes of an item whose call failed.</summary>
internal enum ItemVerdict
{
    /// <summary>It is tried again: what failed is not the item's.</summary>
    PutBack,

    /// <summary>It has failed, for a reason of its own.</summary>
    Fail,

    /// <summary>Its call may have been done, and must not be made again.</summary>
    Unknown,
}

/// <summary>What is known of a failed call. Immutable.</summary>
internal readonly record struct CallFailure
{
    /// <summary>The request itself is at fault, or no endpoint will ever take it.</summary>
    public bool IsOwnFault { get; init; }

    /// <summary>Time does not heal it: a key, a credit, a model.</summary>
    public bool LastsForever { get; init; }

    /// <summary>An attempt may have been done.</summary>
    public bool IsAmbiguous { get; init; }

    /// <summary>An endpoint had enough.</summary>
    public bool WasThrottled { get; init; }

    /// <summary>Attempts that were made, as far as they are known.</summary>
    public int Attempts { get; init; }

    /// <summary>Attempts that may have been billed.</summary>
    public int PerhapsBilled { get; init; }

    /// <summary>The reason, without any text of a provider or of the prompt.</summary>
    public string Reason { get; init; }

    public static CallFailure FromException(Exception exception)
    {
        if (exception is EndpointPoolException pool)
            return OfPool(pool);
        if (exception is StateNotPortableException or ArgumentException or NotSupportedException)
            return new CallFailure { IsOwnFault = true, Reason = exception.GetType().Name };
        var fault = (exception as EndpointFaultException)?.Fault
            ?? FaultClassifier.Default.Classify(new FaultEvidence { Exception = exception }) ?? new Fault(FaultKind.Unknown);
        var isAmbiguous = IsPerhapsBilled(fault);
        return new CallFailure
        {
            IsOwnFault = fault.Blame == FaultBlame.Request,
            LastsForever = fault.Kind is FaultKind.Unauthorized or FaultKind.Forbidden or FaultKind.QuotaExhausted or FaultKind.ModelNotFound,
            IsAmbiguous = isAmbiguous,
            WasThrottled = IsThrottle(fault),
            Attempts = 1,
            PerhapsBilled = isAmbiguous ? 1 : 0,
            Reason = fault.ToString(),
        };
    }

    public static bool IsThrottle(Fault? fault) => fault?.Kind is FaultKind.Throttled or FaultKind.Overloaded;

    private static CallFailure OfPool(EndpointPoolException exception)
    {
        var billed = exception.Attempts.Count(static a => a.Fault is null || IsPerhapsBilled(a.Fault));
        return new CallFailure
        {
            IsOwnFault = exception.WaitRules is [.., WaitRule.NotCapable],
            LastsForever = exception.WaitRules is [.., WaitRule.TimeDoesNotHeal],
            IsAmbiguous = billed > 0,
            WasThrottled = exception.Attempts.Any(static a => IsThrottle(a.Fault)),
            Attempts = exception.AttemptCount,
            PerhapsBilled = billed,
            Reason = exception.Attempts is [.., { Fault: { } last }] ? last.ToString() : exception.GetType().Name,
        };
    }

    private static bool IsPerhapsBilled(Fault fault) => fault.Applied is FaultApplied.Ambiguous or FaultApplied.Partial;
}

/// <summary>Decides about an item whose call failed. Pure.</summary>
internal static class ItemVerdicts
{
    /// <param name="failure">What is known of the call.</param>
    /// <param name="mayRepeat">May a call be repeated that may have been done?</param>
    /// <param name="tries">How often the item failed while others were served, this time included.</param>
    /// <param name="maxTries">How often it may.</param>
    public static ItemVerdict Decide(in CallFailure failure, bool mayRepeat, int tries, int maxTries)
    {
        if (failure.IsOwnFault)
            return ItemVerdict.Fail;
        if (failure.IsAmbiguous && !mayRepeat)
            return ItemVerdict.Unknown;
        return tries >= maxTries ? ItemVerdict.Fail : ItemVerdict.PutBack;
    }
}
