using System.Buffers;
using System.Globalization;
using System.Text;

namespace HaKit.Dialects;

/// <summary>
/// Extracts the part of a message that the server wrote itself. Servers quote what the caller sent ("why do I get: You exceeded your current quota"), and a
/// caller's text must not decide about an account. Quotation marks and brackets of all scripts, and marks that are written as HTML entities, are treated as
/// <c>"</c> or <c>'</c>. Everything from the first opening mark to the last closing mark of the same kind is removed, because a quoted text may contain such marks
/// itself. Backticks, which enclose names, are removed in pairs.
/// </summary>
internal static class ServerWords
{
    private const int LongestEntity = 40;

    private static readonly SearchValues<char> s_marks = SearchValues.Create("[<`\"'");

    private static readonly SearchValues<string> s_afterValue = SearchValues.Create([" is not of type", " is not one of", " was unexpected", " is not a valid value", " is not valid under any", " does not match any"], StringComparison.OrdinalIgnoreCase);

    /// <summary>Gets the characters at which a caller's text may begin: the ends of clauses (<see cref="EndsClause"/>), an equals sign and an opening brace.</summary>
    public static SearchValues<char> Signs { get; } = SearchValues.Create("\n\uFF1A:-\u2012\u2013\u2014\u2015\u2192={");

    /// <summary>Decodes the message (UTF-8 with JSON's escapes) and removes its quoted text.</summary>
    /// <param name="json">The message as it is in the body.</param>
    /// <param name="buffer">At least as long as <paramref name="json"/>.</param>
    public static Span<char> FromJson(ReadOnlySpan<byte> json, Span<char> buffer) => WithoutQuotes(DecodeJson(json, buffer));

    /// <summary>Decodes the message (UTF-8 with JSON's escapes). Its quoted text stays.</summary>
    /// <inheritdoc cref="FromJson" path="/param"/>
    public static Span<char> DecodeJson(ReadOnlySpan<byte> json, Span<char> buffer) => Unescaped(buffer[..Encoding.UTF8.GetChars(json, buffer)]);

    /// <summary>Removes the quoted text, in place.</summary>
    /// <param name="text">The text; it is overwritten.</param>
    public static Span<char> WithoutQuotes(Span<char> text)
    {
        if (text.Contains('&') || !Ascii.IsValid(text))
            text = WithPlainMarks(text);
        if (text.ContainsAny(s_marks))
        {
            text = WithoutBracketed(text);
            text = WithoutPairs(text, '`');
            text = WithoutApostrophes(Without(text, '"'));
        }
        // JSON Schema: the message begins with the caller's value ("hello is not of type array").
        return text.IndexOfAny(s_afterValue) is > 0 and var at ? text[at..] : text;
    }

    /// <summary>
    /// Gets the first clause of a message: up to a colon, a dash or the end of the line. The text after it may be a caller's text without any marks ("Blocked
    /// by rule 12: why do I get …"). Names of exceptions that gateways put in front are skipped.
    /// </summary>
    /// <param name="words">The message, without quoted text.</param>
    public static ReadOnlySpan<char> Lead(ReadOnlySpan<char> words)
    {
        words = AfterExceptions(words.TrimStart(" \t\r\n"));
        for (var from = 0; words[from..].IndexOfAny(Signs) is >= 0 and var step;)
        {
            if (EndsClause(words, from + step))
            {
                return words[..(from + step)];
            }
            from += step + 1;
        }
        return words;
    }

    /// <summary>Checks whether a clause ends at this place: at a colon, a dash or the end of the line.</summary>
    /// <param name="words">The message.</param>
    /// <param name="at">The place.</param>
    public static bool EndsClause(ReadOnlySpan<char> words, int at)
    {
        var next = at + 1 < words.Length ? words[at + 1] : ' ';
        return words[at] is '\n' or '\uFF1A' || words[at] == ':' && next is ' ' or '\n' or '\r' or '\t'
            || words[at] is '-' or (>= '\u2012' and <= '\u2015') or '\u2192' && next == ' ' && at > 0 && words[at - 1] == ' ';
    }

    /// <summary>Gets the message without the names of exceptions that gateways put in front of it.</summary>
    /// <param name="words">The message, without quoted text and without white space in front.</param>
    public static ReadOnlySpan<char> AfterExceptions(ReadOnlySpan<char> words)
    {
        while (LengthOfException(words) is > 0 and var length)
        {
            words = words[length..].TrimStart(' ');
        }
        return words;
    }

    // "litellm.RateLimitError: ", "OpenAIException - ", "AzureException RateLimitError - ", "Error code: 429 - ".
    private static int LengthOfException(ReadOnlySpan<char> words)
    {
        var end = 0;
        while (end < words.Length && (char.IsAsciiLetterOrDigit(words[end]) || words[end] is '.' or '_'))
        {
            end++;
        }
        if (!words[..end].EndsWith("error", StringComparison.OrdinalIgnoreCase) && !words[..end].EndsWith("exception", StringComparison.OrdinalIgnoreCase))
        {
            return 0;
        }
        var rest = words[end..];
        if (rest is [' ', 'c', 'o', 'd', 'e', ':', ' ', >= '0' and <= '9', >= '0' and <= '9', >= '0' and <= '9', ..])
        {
            end += 10;
            rest = rest[10..];
        }
        return rest switch
        {
            [':', ' ', ..] => end + 2,
            [' ', '-', ' ', ..] => end + 3,
            [' ', .. var next] when LengthOfException(next) is > 0 and var length => end + 1 + length,
            _ => 0,
        };
    }

    // Each quotation mark of any script becomes one of three marks; no mark becomes longer.
    private static Span<char> WithPlainMarks(Span<char> text)
    {
        var to = 0;
        for (var from = 0; from < text.Length;)
        {
            var length = 1;
            text[to++] = text[from] == '&' && EntityAt(text[from..], ref length) is { } mark ? mark : PlainMark(text[from]);
            from += length;
        }
        return text[..to];
    }

    private static char PlainMark(char c) => c switch
    {
        '\u201C' or '\u201D' or '\u201E' or '\u201F' or '\u00AB' or '\u00BB' or '\u2039' or '\u203A' or '\u300C' or '\u300D' or '\u300E' or '\u300F'
            or '\u301D' or '\u301E' or '\u301F' or '\uFF02' => '"',
        (>= '\u27E6' and <= '\u27EB') or (>= '\u3008' and <= '\u300B') or '\u3010' or '\u3011' or '\u3014' or '\u3015' or '\uFF1C' or '\uFF1E' or '\uFF3B' or '\uFF3D' => '"',
        '\u2018' or '\u2019' or '\u201A' or '\u201B' or '\u00B4' or '\uFF07' => '\'',
        '\uFF40' => '`',
        _ => c,
    };

    // "&quot;", "&#39;", "&#x27;", "&lt;", and the same escaped once more: "&amp;quot;".
    private static char? EntityAt(ReadOnlySpan<char> text, ref int length)
    {
        text = text[..Math.Min(text.Length, LongestEntity)];
        var start = 1;
        while (text[start..].StartsWith("amp;", StringComparison.OrdinalIgnoreCase))
        {
            start += 4;
        }
        if (text[start..].IndexOf(';') is not (> 0 and var end))
        {
            return null;
        }
        length = start + end + 1;
        var mark = MarkOf(text.Slice(start, end));
        if (mark is null)
        {
            length = 1;
        }
        return mark;
    }

    private static char? MarkOf(ReadOnlySpan<char> name)
    {
        if (name is ['#', .. var number])
        {
            var isHex = number is ['x' or 'X', ..];
            var style = isHex ? NumberStyles.AllowHexSpecifier : NumberStyles.None;
            return ushort.TryParse(isHex ? number[1..] : number, style, CultureInfo.InvariantCulture, out var code) && PlainMark((char)code) is '"' or '\'' or '`' or '<' or '>' ? PlainMark((char)code) : null;
        }
        Span<char> lower = stackalloc char[LongestEntity];
        return lower[..name.ToLowerInvariant(lower)] switch
        {
            "quot" or "ldquo" or "rdquo" or "bdquo" or "laquo" or "raquo" or "lsaquo" or "rsaquo" => '"',
            "apos" or "lsquo" or "rsquo" or "sbquo" or "acute" => '\'',
            "grave" => '`',
            "lt" => '<',
            "gt" => '>',
            _ => null,
        };
    }

    private static Span<char> Unescaped(Span<char> text)
    {
        var from = text.IndexOf('\\');
        if (from < 0)
        {
            return text;
        }
        var to = from;
        while (from < text.Length)
        {
            var c = text[from++];
            if (c == '\\' && from < text.Length)
            {
                c = text[from++] switch
                {
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    'b' or 'f' => ' ',
                    'u' when from + 4 <= text.Length && ushort.TryParse(text.Slice(from, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code) => Next(code, ref from),
                    var other => other,
                };
            }
            text[to++] = c;
        }
        return text[..to];

        static char Next(ushort code, ref int from)
        {
            from += 4;
            return (char)code;
        }
    }

    private static Span<char> Without(Span<char> text, char mark)
    {
        var first = text.IndexOf(mark);
        if (first < 0)
        {
            return text;
        }
        var last = text.LastIndexOf(mark);
        // A quotation without a closing mark was cut, so it extends to the end.
        return text.Count(mark) % 2 != 0 || last + 1 < text.Length && char.IsLetterOrDigit(text[last + 1]) ? text[..first] : Without(text, first, last + 1);
    }

    // A name contains no white space. A text with white space may be a caller's, which may contain such marks itself.
    private static Span<char> WithoutPairs(Span<char> text, char mark)
    {
        while (text.IndexOf(mark) is >= 0 and var first)
        {
            if (text[(first + 1)..].IndexOf(mark) is not (>= 0 and var length))
            {
                return text[..first];
            }
            var isName = text.Slice(first + 1, length).IndexOfAny(" \t\r\n") < 0;
            text = Without(text, first, isName ? first + length + 2 : text.LastIndexOf(mark) + 1);
        }
        return text;
    }

    // "[type=string_type, input_value=…]" and "<input>…</input>" contain text of the caller. An index ("messages[0]") and a comparison ("5 < 8") are not
    // opening brackets.
    private static Span<char> WithoutBracketed(Span<char> text)
    {
        for (var at = text.IndexOf('['); at >= 0; at = IndexAfter(text, at, '['))
        {
            if (at == 0 || !char.IsLetterOrDigit(text[at - 1]) && text[at - 1] is not ('_' or ']'))
            {
                text = Without(text, at, EndOf(text, at, ']'));
                break;
            }
        }
        for (var at = text.IndexOf('<'); at >= 0 && at + 1 < text.Length; at = IndexAfter(text, at, '<'))
        {
            if (char.IsAsciiLetter(text[at + 1]) || text[at + 1] is '/' or '!')
            {
                return Without(text, at, EndOf(text, at, '>'));
            }
        }
        return text;

        static int IndexAfter(ReadOnlySpan<char> text, int at, char mark) => text[(at + 1)..].IndexOf(mark) is >= 0 and var step ? at + 1 + step : -1;

        static int EndOf(ReadOnlySpan<char> text, int from, char closing) => text.LastIndexOf(closing) is var last && last > from ? last + 1 : text.Length;
    }

    // An apostrophe inside a word ("model's") is not a quotation mark.
    private static Span<char> WithoutApostrophes(Span<char> text)
    {
        while (FirstThatOpens(text) is >= 0 and var first)
        {
            var last = LastThatCloses(text);
            if (last <= first)
            {
                return text[..first];
            }
            text = Without(text, first, last + 1);
        }
        return text;
    }

    private static int FirstThatOpens(ReadOnlySpan<char> text)
    {
        for (var from = 0; text[from..].IndexOf('\'') is >= 0 and var step; from += step + 1)
        {
            if (Opens(text[..(from + step)]))
            {
                return from + step;
            }
        }
        return -1;
    }

    private static int LastThatCloses(ReadOnlySpan<char> text)
    {
        for (var last = text.LastIndexOf('\''); last >= 0; last = text[..last].LastIndexOf('\''))
        {
            if (last + 1 == text.Length || !char.IsLetterOrDigit(text[last + 1]))
            {
                return last;
            }
        }
        return -1;
    }

    // Python writes bytes as b'…'.
    private static bool Opens(ReadOnlySpan<char> before) =>
        before.IsEmpty || !char.IsLetterOrDigit(before[^1])
        || before[^1] is 'b' or 'u' or 'r' && (before.Length == 1 || !char.IsLetterOrDigit(before[^2]));

    private static Span<char> Without(Span<char> text, int start, int end)
    {
        text[end..].CopyTo(text[start..]);
        return text[..(text.Length - (end - start))];
    }
}
