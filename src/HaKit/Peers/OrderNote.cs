namespace HaKit.Peers;

/// <summary>Holds the operator and the reason of an order. Immutable. Every replica shows it, so it must contain no secret.</summary>
/// <param name="By">The operator's name, as the application gave it. Only its first 100 characters are kept.</param>
/// <param name="Reason">The reason. Only its first 200 characters are kept. Null: none.</param>
public sealed record OrderNote(string By, string? Reason = null)
{
    /// <summary>Gets the note of an order that code gives.</summary>
    public static OrderNote None { get; } = new("code");

    internal OrderNote Shortened() => this with { By = Truncate(By, 100), Reason = Reason is null ? null : Truncate(Reason, 200) };

    private static string Truncate(string text, int most) => text.Length <= most ? text : text[..most];
}
