using System.Globalization;
using System.Text;

namespace HaKit.Dialects;

/// <summary>
/// The part of a message that a server says in words of its own. Servers quote what the caller sent ("why do I get: You exceeded your current
/// quota"), and what a caller sends must not decide about an account. Everything from the first opening mark to the last closing mark of the same kind
/// is therefore left out, because a quoted text may hold such marks itself. Of backticks, which stand around names, each pair is left out alone.
/// </summary>
internal static class ServerWords
{
    /// <summary>Decodes the message (UTF-8 with JSON's escapes) and leaves out what it quotes.</summary>
    /// <param name="json">The message as it stands in the body.</param>
    /// <param name="buffer">At least as long as <paramref name="json"/>.</param>
    public static Span<char> FromJson(ReadOnlySpan<byte> json, Span<char> buffer)
    {
        var text = buffer[..Encoding.UTF8.GetChars(json, buffer)];
        return WithoutQuotes(Unescaped(text));
    }

    /// <summary>Leaves out, in place, what the text quotes.</summary>
    /// <param name="text">The text; it is overwritten.</param>
    public static Span<char> WithoutQuotes(Span<char> text)
    {
        text = WithoutPairs(text, '`');
        text = Without(text, '"', '"');
        text = Without(text, '\u201C', '\u201D');
        text = Without(text, '\u2018', '\u2019');
        text = Without(text, '\u00AB', '\u00BB');
        return WithoutApostrophes(text);
    }

    private static Span<char> Unescaped(Span<char> text)
    {
        var from = text.IndexOf('\\');
        if (from < 0)
            return text;
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

    private static Span<char> Without(Span<char> text, char open, char close)
    {
        while (text.IndexOf(open) is >= 0 and var first)
        {
            var last = text.LastIndexOf(close);
            // A quote that is not closed was cut: it reaches to the end.
            if (last <= first)
                return text[..first];
            text = Without(text, first, last + 1);
        }
        return text;
    }

    private static Span<char> WithoutPairs(Span<char> text, char mark)
    {
        while (text.IndexOf(mark) is >= 0 and var first)
        {
            if (text[(first + 1)..].IndexOf(mark) is not (>= 0 and var length))
                return text[..first];
            text = Without(text, first, first + length + 2);
        }
        return text;
    }

    // An apostrophe within a word ("model's") is no quotation mark.
    private static Span<char> WithoutApostrophes(Span<char> text)
    {
        while (FirstThatOpens(text) is >= 0 and var first)
        {
            var last = LastThatCloses(text);
            if (last <= first)
                return text[..first];
            text = Without(text, first, last + 1);
        }
        return text;
    }

    private static int FirstThatOpens(ReadOnlySpan<char> text)
    {
        for (var from = 0; text[from..].IndexOf('\'') is >= 0 and var step; from += step + 1)
        {
            if (Opens(text[..(from + step)]))
                return from + step;
        }

        return -1;
    }

    private static int LastThatCloses(ReadOnlySpan<char> text)
    {
        for (var last = text.LastIndexOf('\''); last >= 0; last = text[..last].LastIndexOf('\''))
        {
            if (last + 1 == text.Length || !char.IsLetterOrDigit(text[last + 1]))
                return last;
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
