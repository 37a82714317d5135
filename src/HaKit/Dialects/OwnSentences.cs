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
    private static readonly SearchValues<char> s_numeric = SearchValues.Create("0123456789.,/");

    private static readonly string[] s_beforeNumber = ["limit", "used", "requested", "current"];
    private static readonly string[] s_echoes = ["prompt", "input", "question", "query", "says", "said", "saying", "asked", "wrote", "quoted", "got", "value", "unexpected", "unrecognized", "parse", "parsing", "decode", "decoding", "deserialize"];
    private static readonly string[] s_measures = ["token", "tokens", "size", "length", "error", "failure", "condition", "problem", "argument", "arguments"];

    // The server goes on in its own words: "the prompt exceeds the context window", "your input was flagged".
    private static readonly string[] s_verbs =
    [
        "is too ", "is longer ", "is larger ", "is greater ", "and maximum output tokens ", "is blocked", "was blocked", "was flagged", "was rejected", "was filtered", "was refused", "could not be submitted", "exceed", "violate", "contains ", "triggering ", "triggered ", "blocked ",
        "too long", "cannot exceed ", "data may ", "text may ", "image may ", "image violates ", "content audit ", "new_sensitive", ", sent to ", "超长",
    ];

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
    public static ReadOnlySpan<char> FirstClause(ReadOnlySpan<char> words) => CutAtNoun(ServerWords.Lead(words));

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

    /// <summary>
    /// Gets the message up to a word such as "prompt", an equals sign or an opening brace. Colons do not end it. Google's message about a quota contains
    /// addresses and no caller's text, so it is not cut.
    /// </summary>
    /// <param name="words">The message, without quoted text.</param>
    public static ReadOnlySpan<char> CutUnlessOfGoogle(ReadOnlySpan<char> words) =>
        ServerWords.AfterExceptions(words.TrimStart(" \t\r\n")).StartsWith(Google, StringComparison.OrdinalIgnoreCase) ? words : CutAtNoun(words);

    private static ReadOnlySpan<char> CutAtNoun(ReadOnlySpan<char> words)
    {
        for (var i = 0; i < words.Length; i++)
        {
            if (words[i] is '=' or '{' || BeginsEcho(words, i))
                return words[..i];
        }

        return words;
    }

    /// <summary>
    /// Removes the text in parentheses, which may be a caller's: from the first parenthesis to the last one, because this text may contain parentheses itself.
    /// A parenthesis with one word or a number ("(TPM)", "(5000 tokens)") is the server's.
    /// </summary>
    /// <param name="words">The message, without quoted text.</param>
    /// <param name="buffer">At least as long as the message if the message has parentheses.</param>
    public static ReadOnlySpan<char> WithoutParentheses(ReadOnlySpan<char> words, Span<char> buffer)
    {
        for (var at = 0; words[at..].IndexOf('(') is >= 0 and var step;)
        {
            at += step;
            var length = words[at..].IndexOf(')');
            if (length < 0)
                return words[..at];
            if (IsWordOrNumber(words[(at + 1)..(at + length)]))
            {
                at += length;
                continue;
            }
            var rest = words[(words.LastIndexOf(')') + 1)..];
            words[..at].CopyTo(buffer);
            rest.CopyTo(buffer[at..]);
            return buffer[..(at + rest.Length)];
        }

        return words;
    }

    // "TPM", "4096", "5000.0", "0/0 used", "length 5000".
    private static bool IsWordOrNumber(ReadOnlySpan<char> text)
    {
        var first = PartAt(text);
        var second = text[first.Length..].TrimStart(' ');
        return second.IsEmpty || PartAt(second).Length == second.Length && (IsNumber(first) || IsNumber(second));
    }

    private static ReadOnlySpan<char> PartAt(ReadOnlySpan<char> text)
    {
        var end = 0;
        while (end < text.Length && (char.IsAsciiLetterOrDigit(text[end]) || text[end] is '.' or ',' or '/'))
            end++;
        return text[..end];
    }

    private static bool IsNumber(ReadOnlySpan<char> word) => word is [>= '0' and <= '9', ..] && word.IndexOfAnyExcept(s_numeric) < 0;

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

    /// <summary>Checks whether a caller's text may follow the word at this place: "prompt hello", but neither "prompt tokens" nor "prompt exceeds".</summary>
    /// <param name="words">The message, without quoted text.</param>
    /// <param name="at">The place.</param>
    public static bool BeginsEcho(ReadOnlySpan<char> words, int at)
    {
        // Most places are excluded by their first letter.
        if ((words[at] | 0x20) is not ('p' or 'i' or 'q' or 's' or 'a' or 'w' or 'g' or 'v' or 'u' or 'd') || at > 0 && char.IsLetterOrDigit(words[at - 1]))
            return false;
        var word = WordAt(words[at..]);
        return IsOneOf(word, s_echoes) && !IsServersOwn(words[(at + word.Length)..]);
    }

    private static bool IsServersOwn(ReadOnlySpan<char> rest)
    {
        rest = rest.TrimStart(' ');
        if (rest is ['(', ..] && rest.IndexOf(')') is > 0 and var close)
            rest = rest[(close + 1)..].TrimStart(' ');
        return IsOneOf(WordAt(rest), s_measures) || StartsWithAny(rest, s_verbs);
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

    private static bool StartsWithAny(ReadOnlySpan<char> text, string[] beginnings)
    {
        foreach (var beginning in beginnings)
        {
            if (text.StartsWith(beginning, StringComparison.OrdinalIgnoreCase))
                return true;
        }

        return false;
    }

    /// <summary>Checks whether the text ends with one of these texts. Case does not matter.</summary>
    public static bool EndsWithAny(ReadOnlySpan<char> text, string[] ends)
    {
        foreach (var end in ends)
        {
            if (text.EndsWith(end, StringComparison.OrdinalIgnoreCase))
                return true;
        }

        return false;
    }
}
