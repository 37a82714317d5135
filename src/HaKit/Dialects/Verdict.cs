namespace HaKit.Dialects;

/// <summary>Holds a dialect's verdict about an error: the kind, and the properties that differ from the usual properties of that kind.</summary>
/// <param name="Kind">The kind of the fault.</param>
/// <param name="Reach">The reach of the fault. Null: the usual reach of the kind.</param>
/// <param name="UntilCleared">True if the fault lasts until it is cleared, even if the server sent a <c>Retry-After</c>.</param>
internal readonly record struct Verdict(FaultKind Kind, FaultReach? Reach = null, bool UntilCleared = false)
{
    public static Verdict Quota => new(FaultKind.QuotaExhausted);

    public static Verdict BadKey => new(FaultKind.Unauthorized, UntilCleared: true);

    public static Verdict ModelOverloaded => new(FaultKind.Overloaded, FaultReach.Model);
}
