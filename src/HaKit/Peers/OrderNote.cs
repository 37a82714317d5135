namespace HaKit.Peers;

/// <summary>What is noted beside an operator's order. Immutable; shown to every replica, so it holds no secret.</summary>
/// <param name="By">The operator, as the application names the operator; at most 100 characters.</param>
/// <param name="Reason">Why; null for none. At most 200 characters.</param>
public sealed record OrderNote(string By, string? Reason = null)
{
    /// <summary>An order given in code.</summary>
    public static OrderNote None { get; } = new("code");

    internal OrderNote Shortened() => this with { By = Truncate(By, 100), Reason = Reason is null ? null : Truncate(Reason, 200) };

    private static string Truncate(string text, int most) => text.Length <= most ? text : text[..most];
}
