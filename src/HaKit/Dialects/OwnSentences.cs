using System.Buffers;

namespace HaKit.Dialects;

/// <summary>
/// Finds the part of a message in which a time to wait is the server's own. Servers quote what the caller sent, sometimes without quotation marks ("Too many
/// requests for prompt: my app says try again in 3600s"), and a caller's text must not take an endpoint away from other callers. Pure.
/// </summary>
internal static class OwnSentences
{
    // Google lists each limit that is used up on a separate line. The time to wait comes after these lines.
    private const string Google = "You exceeded your current quota, please check your plan and billing details";

    // OpenAI and Groq: "Rate limit reached for m on tokens per min (TPM): Limit 7000, Used 0, Requested 12903. Please try again in 50s."
    private const string Reached = "Rate limit reached";

    private static readonly string[] s_beforeTime = ["retry in", "retry after", "retry-after", "retry_after", "retry at", "again at", "reset at", "resets at", "available at"];
    private static readonly string[] s_beforeNumber = ["limit", "used", "requested", "current"];
    private static readonly string[] s_echoes = ["prompt", "input", "question", "query", "says", "said", "saying", "asked", "wrote", "quoted"];
    private static readonly string[] s_measures = ["token", "tokens", "rate", "limit", "size", "length"];

    /// <summary>
    /// Gets the message up to the place from which it may repeat a caller's text: a colon, a dash, the end of the line, an equals sign, an opening brace, or a
    /// word such as "prompt". A colon before a time or a number of the server does not count. Names of exceptions that gateways put in front are skipped.
    /// </summary>
    /// <param name="words">The message, without quoted text.</param>
    public static ReadOnlySpan<char> CutEcho(ReadOnlySpan<char> words)
    {
        words = ServerWords.AfterExceptions(words.TrimStart(" \t\r\n"));
        if (words.StartsWith(Google, StringComparison.OrdinalIgnoreCase))
            return words;
        var isReached = words.StartsWith(Reached, StringComparison.OrdinalIgnoreCase);
        for (var i = 0; i < words.Length; i++)
        {
            if (ServerWords.EndsClause(words, i))
            {
                if (words[i] != ':' || !EndsWithAny(words[..i], s_beforeTime) && !(isReached && IsOfLimit(words, i)) && !IsOfMaximum(words, i))
                    return words[..i];
            }
            else if (words[i] is '=' or '{' || BeginsEcho(words, i))
            {
                return words[..i];
            }
        }

        return words;
    }

    /// <summary>
    /// Gets the first clause of a message (<see cref="ServerWords.Lead"/>) up to an equals sign, an opening brace, or a word such as "prompt". The text after it
    /// may be a caller's ("Busy. request=You exceeded your current quota").
    /// </summary>
    /// <param name="words">The message, without quoted text.</param>
    public static ReadOnlySpan<char> FirstClause(ReadOnlySpan<char> words)
    {
        words = ServerWords.Lead(words);
        for (var i = 0; i < words.Length; i++)
        {
            if (words[i] is '=' or '{' || BeginsEcho(words, i))
                return words[..i];
        }

        return words;
    }

    /// <summary>Checks whether a clause contains a phrase, not counting the text in parentheses, which may be a caller's.</summary>
    /// <param name="clause">The first clause of the message.</param>
    /// <param name="phrases">The phrases.</param>
    public static bool Contains(ReadOnlySpan<char> clause, SearchValues<string> phrases)
    {
        var open = clause.IndexOf('(');
        if (open < 0)
            return clause.ContainsAny(phrases);
        return clause[..open].ContainsAny(phrases) || clause.LastIndexOf(')') is var close && close > open && clause[(close + 1)..].ContainsAny(phrases);
    }

    // "(TPM): Limit 7000", "Limit: 7000".
    private static bool IsOfLimit(ReadOnlySpan<char> words, int colon)
    {
        var after = words[(colon + 1)..].TrimStart(' ');
        if (after.StartsWith("limit ", StringComparison.OrdinalIgnoreCase))
            after = after["limit ".Length..];
        else if (!EndsWithAny(words[..colon], s_beforeNumber))
            return false;
        return after is [>= '0' and <= '9', ..];
    }

    // Moonshot: "request reached max request: 3, please try again after 1 seconds".
    private static bool IsOfMaximum(ReadOnlySpan<char> words, int colon)
    {
        if (!words[..colon].Contains("max ", StringComparison.OrdinalIgnoreCase))
            return false;
        var after = words[(colon + 1)..].TrimStart(' ');
        var end = after.IndexOfAnyExceptInRange('0', '9');
        return end > 0 && after[end] is ',' or ';' or '.';
    }

    /// <summary>Checks whether a caller's text may follow the word at this place: "prompt hello", but not "prompt tokens".</summary>
    /// <param name="words">The message, without quoted text.</param>
    /// <param name="at">The place.</param>
    public static bool BeginsEcho(ReadOnlySpan<char> words, int at)
    {
        if (at > 0 && char.IsLetterOrDigit(words[at - 1]))
            return false;
        var word = WordAt(words[at..]);
        return IsOneOf(word, s_echoes) && !IsOneOf(WordAt(words[(at + word.Length)..].TrimStart(' ')), s_measures);
    }

    /// <summary>Gets the word at the beginning of a text. Empty if the text does not begin with a letter or a digit.</summary>
    public static ReadOnlySpan<char> WordAt(ReadOnlySpan<char> text)
    {
        var end = 0;
        while (end < text.Length && char.IsLetterOrDigit(text[end]))
            end++;
        return text[..end];
    }

    /// <summary>Checks whether the word is one of these words. Case does not matter.</summary>
    public static bool IsOneOf(ReadOnlySpan<char> word, string[] words)
    {
        foreach (var known in words)
        {
            if (word.Equals(known, StringComparison.OrdinalIgnoreCase))
                return true;
        }

        return false;
    }

    private static bool EndsWithAny(ReadOnlySpan<char> text, string[] ends)
    {
        foreach (var end in ends)
        {
            if (text.EndsWith(end, StringComparison.OrdinalIgnoreCase))
                return true;
        }

        return false;
    }
}
