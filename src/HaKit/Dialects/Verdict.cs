namespace HaKit.Dialects;

/// <summary>What a dialect makes of an error: the kind, and where it departs from the kind's usual answers.</summary>
/// <param name="Kind">What happened.</param>
/// <param name="Reach">How far it reaches; the kind's usual reach when <see langword="null"/>.</param>
/// <param name="UntilCleared">Does it last even if the server named a time?</param>
internal readonly record struct Verdict(FaultKind Kind, FaultReach? Reach = null, bool UntilCleared = false)
{
    public static Verdict Quota => new(FaultKind.QuotaExhausted);

    public static Verdict BadKey => new(FaultKind.Unauthorized, UntilCleared: true);

    public static Verdict ModelOverloaded => new(FaultKind.Overloaded, FaultReach.Model);
}
