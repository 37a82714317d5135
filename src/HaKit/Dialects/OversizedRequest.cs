using System.Buffers;

namespace HaKit.Dialects;

/// <summary>
/// Determines whether a message reports that one request is larger than the limit of a whole minute (<c>Limit 30000, Requested 342389</c>). Waiting does not
/// help such a request, and other requests are not throttled. Pure.
/// </summary>
internal static class OversizedRequest
{
    private static readonly SearchValues<string> s_phrases = SearchValues.Create(
        ["request too large", "request body too large for", "request is too large for your rate limit", "reduce your message size", "larger than your rate limit", "larger than the rate limit", "required for long context"], StringComparison.OrdinalIgnoreCase);

    // A message that begins with none of these words is not about limits.
    private static readonly SearchValues<string> s_subjects = SearchValues.Create(["too large", "larger", "limit", "token", "tpm", "long context"], StringComparison.OrdinalIgnoreCase);

    private static readonly string[] s_sizes = ["requested", "request", "prompt", "input"];

    // The words that may stand between a limit's word and its number.
    private static readonly string[] s_between = ["of", "is", "was", "has", "tokens", "token", "count", "to"];

    private static readonly SearchValues<char> s_numeric = SearchValues.Create("0123456789,");

    /// <summary>Checks whether the message reports such a request.</summary>
    /// <param name="message">The message. Only its own part is read.</param>
    public static bool IsStatedIn(ref ServerMessage message)
    {
        if (!message.Lead.ContainsAny(s_subjects))
        {
            return false;
        }
        var words = message.Own;
        if (words.ContainsAny(s_phrases) || ComparesLargerNumber(words))
        {
            return true;
        }
        if (NumberAfter(words, "limit") is not { } limit)
        {
            return false;
        }
        foreach (var size in s_sizes)
        {
            if (NumberAfter(words, size) > limit)
            {
                return true;
            }
        }
        return false;
    }

    // "Prompt tokens limit exceeded: 230799 > 91442".
    private static bool ComparesLargerNumber(ReadOnlySpan<char> words)
    {
        for (var at = words.IndexOf('>'); at >= 0; at = words[(at + 1)..].IndexOf('>') is >= 0 and var step ? at + 1 + step : -1)
        {
            var before = words[..at].TrimEnd(' ');
            var after = words[(at + 1)..].TrimStart(' ');
            if (before is not [.., >= '0' and <= '9'] || after is not [>= '0' and <= '9', ..])
            {
                continue;
            }
            var end = after.IndexOfAnyExcept(s_numeric);
            if (Number(before[(before.LastIndexOfAnyExcept(s_numeric) + 1)..]) > Number(end < 0 ? after : after[..end]))
            {
                return true;
            }
        }
        return false;
    }

    // The first number after the word: "Limit 30000", "limit of 30,000", "requested (50000)".
    private static double? NumberAfter(ReadOnlySpan<char> words, string word)
    {
        for (var from = 0; words[from..].IndexOf(word, StringComparison.OrdinalIgnoreCase) is >= 0 and var step;)
        {
            var at = from + step;
            from = at + word.Length;
            if (at > 0 && char.IsAsciiLetterOrDigit(words[at - 1]) || from < words.Length && char.IsAsciiLetterOrDigit(words[from]))
            {
                continue;
            }
            var rest = Skip(words[from..]);
            var end = rest.IndexOfAnyExcept(s_numeric);
            if (rest is [>= '0' and <= '9', ..])
            {
                return Number(end < 0 ? rest : rest[..end]);
            }
        }
        return null;
    }

    private static ReadOnlySpan<char> Skip(ReadOnlySpan<char> rest)
    {
        while (true)
        {
            rest = rest.TrimStart(" :=(");
            var end = 0;
            while (end < rest.Length && char.IsAsciiLetterOrDigit(rest[end]))
            {
                end++;
            }
            if (!IsBetween(rest[..end]))
            {
                return rest;
            }
            rest = rest[end..];
        }
    }

    private static bool IsBetween(ReadOnlySpan<char> word)
    {
        foreach (var known in s_between)
        {
            if (word.Equals(known, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }
        return false;
    }

    private static double? Number(ReadOnlySpan<char> text)
    {
        double number = 0;
        var digits = 0;
        foreach (var c in text)
        {
            if (c != ',')
            {
                (number, digits) = (number * 10 + (c - '0'), digits + 1);
            }
        }
        return digits <= 18 ? number : null;
    }
}
