using HaKit.AI;
using HaKit.Faults;

namespace HaKit.Batch.Running;

/// <summary>The decision about an item whose call failed.</summary>
internal enum ItemVerdict
{
    /// <summary>The item is tried again, because it did not cause the failure.</summary>
    PutBack,

    /// <summary>The item has failed, because the item itself caused the failure, or because it has failed too often.</summary>
    Fail,

    /// <summary>The item's call may have been processed, and must not be repeated.</summary>
    Unknown,
}

/// <summary>Describes a failed call. Immutable.</summary>
internal readonly record struct CallFailure
{
    /// <summary>Gets whether the request itself is at fault, or no endpoint will ever accept it.</summary>
    public bool IsOwnFault { get; init; }

    /// <summary>Gets whether the failure lasts until its cause is repaired: a wrong key, no credit, a missing model.</summary>
    public bool LastsUntilRepaired { get; init; }

    /// <summary>Gets whether an attempt may have been processed.</summary>
    public bool IsAmbiguous { get; init; }

    /// <summary>Gets whether an endpoint throttled the call or was overloaded.</summary>
    public bool WasThrottled { get; init; }

    /// <summary>Gets the number of attempts, as far as it is known.</summary>
    public int Attempts { get; init; }

    /// <summary>Gets the number of attempts that may have been billed.</summary>
    public int PerhapsBilled { get; init; }

    /// <summary>Gets the reason, without text of a provider or of the prompt.</summary>
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
            LastsUntilRepaired = fault.Kind is FaultKind.Unauthorized or FaultKind.Forbidden or FaultKind.QuotaExhausted or FaultKind.ModelNotFound,
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
        var billed = exception.PerhapsBilled;
        return new CallFailure
        {
            IsOwnFault = exception.WaitRules is [.., WaitRule.NotCapable],
            LastsUntilRepaired = exception.WaitRules is [.., WaitRule.TimeDoesNotHeal],
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
    /// <param name="failure">The failed call.</param>
    /// <param name="mayRepeat">True if a call that may have been processed may be repeated.</param>
    /// <param name="tries">The number of times that the item failed while other items were served, including this time.</param>
    /// <param name="maxTries">The number of times that the item may fail.</param>
    public static ItemVerdict Decide(in CallFailure failure, bool mayRepeat, int tries, int maxTries)
    {
        if (failure.IsOwnFault)
            return ItemVerdict.Fail;
        if (failure.IsAmbiguous && !mayRepeat)
            return ItemVerdict.Unknown;
        return tries >= maxTries ? ItemVerdict.Fail : ItemVerdict.PutBack;
    }
}
