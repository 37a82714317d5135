namespace HaKit;

/// <summary>
/// Recognises a text in quotation marks. Some tools, such as <c>docker --env-file</c>, pass the quotation marks of a file to the application as a part of the
/// value. Pure.
/// </summary>
internal static class QuotedText
{
    /// <summary>Checks whether a text begins and ends with the same quotation mark.</summary>
    public static bool Is(string text) => text.Length > 1 && text[0] == text[^1] && text[0] is '"' or '\'' or '`';
}
