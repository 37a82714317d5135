using HaKit.Dialects;

namespace HaKit.Faults;

/// <summary>
/// Reads the error of a provider that a gateway quotes in its own error. OpenAI's Python client writes such errors as <c>Error code: 429 - {'error':
/// {'message': '…'}}</c>. Pure.
/// </summary>
internal static class QuotedError
{
    private const string Beginning = "Error code: ";
    private static readonly string[] s_members = ["'message': ", "'error': "];

    /// <summary>
    /// Gets the status with which a gateway's message begins (<c>Error code: 400 - …</c>). 0: none, or one that would affect more than this endpoint.
    /// </summary>
    /// <param name="words">The gateway's message, without quoted text.</param>
    public static int StatusAtStart(ReadOnlySpan<char> words)
    {
        words = words.TrimStart(" \t\r\n");
        if (words.IndexOf(Beginning) is not (>= 0 and var before) || !AreExceptions(words[..before]))
            return 0;
        var number = words[(before + Beginning.Length)..];
        if (number.Length < 3 || number.Length > 3 && char.IsAsciiLetterOrDigit(number[3]) || !int.TryParse(number[..3], System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var status))
            return 0;
        return status is 400 or 404 or 408 or 409 or 413 or 422 or 424 or 429 or >= 500 and < 600 ? status : 0;
    }

    /// <summary>
    /// Gets the time to wait in the provider's message. Null if the message has none, or if it does not begin with such an error: a caller's text may contain
    /// the same words.
    /// </summary>
    /// <param name="signs">The signs of the gateway's error.</param>
    /// <param name="words">The gateway's message, without quoted text.</param>
    public static TimeSpan? FindWait(in ErrorSigns signs, ReadOnlySpan<char> words)
    {
        words = words.TrimStart(" \t\r\n");
        if (words.IndexOf(Beginning) is not (>= 0 and var before) || !AreExceptions(words[..before]))
            return null;
        Span<char> buffer = stackalloc char[signs.Message.Length];
        var text = ServerWords.DecodeJson(signs.Message, buffer);
        var at = text.IndexOf(Beginning);
        return at < 0 ? null : Durations.InSentence(new ServerMessage(ServerWords.WithoutQuotes(FindMessage(text[at..]))).Own, isLimit: true);
    }

    // "litellm.RateLimitError: AzureException RateLimitError - "
    private static bool AreExceptions(ReadOnlySpan<char> names)
    {
        foreach (var range in names.Split(' '))
        {
            var name = names[range];
            if (name is not ("" or "-") && !name.TrimEnd(':').EndsWith("error", StringComparison.OrdinalIgnoreCase) && !name.TrimEnd(':').EndsWith("exception", StringComparison.OrdinalIgnoreCase))
                return false;
        }

        return true;
    }

    // The text in the quotation marks after the member. A mark that a comma or a brace follows is the closing mark.
    private static Span<char> FindMessage(Span<char> text)
    {
        foreach (var member in s_members)
        {
            if (text.IndexOf(member) is not (>= 0 and var at))
                continue;
            text = text[(at + member.Length)..];
            if (text is not ['\'' or '"', ..])
                return default;
            for (var i = 1; i + 1 < text.Length; i++)
            {
                if (text[i] == text[0] && text[i + 1] is ',' or '}')
                    return text[1..i];
            }
            return text[1..];
        }

        return default;
    }
}
