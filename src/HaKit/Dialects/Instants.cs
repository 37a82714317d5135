using System.Buffers;
using System.Globalization;

namespace HaKit.Dialects;

/// <summary>Reads the forms in which servers write an instant. Every method returns null for a text that it cannot read.</summary>
internal static class Instants
{
    /// <summary>The last second of the year 9999, as a Unix time.</summary>
    public const double LastUnixSecond = 253402300799;

    private const int RegainedWidth = 23;
    private const int LongestInstant = 48;
    private const int MostFractionDigits = 7;
    private const int DateAndTime = 19;

    private static readonly string[] s_httpDates =
    [
        "ddd, d MMM yyyy HH:mm:ss 'GMT'", "ddd, d MMM yyyy HH:mm:ss 'UTC'", "dddd, dd-MMM-yy HH:mm:ss 'GMT'", "ddd MMM d HH:mm:ss yyyy",
        "ddd, d MMM yyyy HH:mm:ss zzz", "ddd MMM d yyyy HH:mm:ss 'GMT'zzz",
    ];

    private static readonly string[] s_rfc3339 =
        ["yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK", "yyyy-MM-dd HH:mm:ssK", "yyyy-MM-dd HH:mm:ss 'UTC'", "yyyy-MM-dd'T'HH:mm:sszzz"];

    private static readonly string[] s_inSentence = ["yyyy-MM-dd'T'HH:mm:ss", "yyyy-MM-dd HH:mm:ss"];

    // The words before an instant in a sentence.
    private static readonly SearchValues<string> s_words = SearchValues.Create(["reset at", "resets at", "again at", "available at", "retry at"], StringComparison.OrdinalIgnoreCase);

    /// <summary>Reads an HTTP date in any of its three forms, also with a numeric zone, and the form in which JavaScript writes a date.</summary>
    public static DateTimeOffset? HttpDate(ReadOnlySpan<char> text)
    {
        if (text.IndexOf(" (", StringComparison.Ordinal) is >= 0 and var comment)
            text = text[..comment];
        return Parse(text, s_httpDates);
    }

    /// <summary>Reads an instant of RFC 3339. Digits after the seventh of a fraction are ignored.</summary>
    public static DateTimeOffset? Rfc3339(ReadOnlySpan<char> text)
    {
        text = text.Trim();
        Span<char> shorter = stackalloc char[LongestInstant];
        if (text.IndexOf('.') is > 0 and var point && text.Length <= LongestInstant && EndOfDigits(text, point + 1) is var end && end > point + 1 + MostFractionDigits)
        {
            var kept = point + 1 + MostFractionDigits;
            text[..kept].CopyTo(shorter);
            text[end..].CopyTo(shorter[kept..]);
            return Parse(shorter[..(kept + text.Length - end)], s_rfc3339);
        }
        return Parse(text, s_rfc3339);
    }

    /// <summary>Gets the instant of a Unix time. Null if it is before 1970 or after the year 9999.</summary>
    /// <param name="seconds">The Unix time in seconds.</param>
    public static DateTimeOffset? OfUnix(double seconds) => seconds is >= 0 and < LastUnixSecond ? DateTimeOffset.UnixEpoch.AddSeconds(seconds) : null;

    /// <summary>Reads the instant in Anthropic's <c>You will regain access on 2026-08-01 at 00:00 UTC</c>.</summary>
    public static DateTimeOffset? RegainedAt(ReadOnlySpan<char> sentence)
    {
        const string words = "regain access on ";
        const string form = "yyyy-MM-dd 'at' HH:mm 'UTC'";
        var at = sentence.IndexOf(words, StringComparison.Ordinal) + words.Length;
        if (at < words.Length || sentence.Length - at < RegainedWidth)
            return null;
        return DateTimeOffset.TryParseExact(sentence.Slice(at, RegainedWidth), form, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var date)
            ? date
            : null;
    }

    /// <summary>
    /// Reads the instant in a sentence such as <c>Limit resets at: 2026-01-01 00:00:40 UTC</c>. An instant without a zone is ignored, because some providers
    /// write their own local time.
    /// </summary>
    /// <param name="sentence">The message of an error.</param>
    public static DateTimeOffset? InSentence(ReadOnlySpan<char> sentence)
    {
        while (sentence.IndexOfAny(s_words) is >= 0 and var at)
        {
            sentence = sentence[at..];
            sentence = sentence[(sentence.IndexOf(" at", StringComparison.OrdinalIgnoreCase) + " at".Length)..];
            var rest = sentence is [':', .. var after] ? after : sentence;
            if (WithZone(rest is [' ', .. var instant] ? instant : rest) is { } found)
                return found;
        }
        return null;
    }

    private static DateTimeOffset? WithZone(ReadOnlySpan<char> text)
    {
        if (text.Length < DateAndTime
            || !DateTime.TryParseExact(text[..DateAndTime], s_inSentence, CultureInfo.InvariantCulture, DateTimeStyles.None, out var time))
        {
            return null;
        }
        var zone = text[DateAndTime..];
        if (zone is ['.', >= '0' and <= '9', ..])
            zone = zone[EndOfDigits(zone, 1)..];
        var name = zone is [' ', .. var spaced] ? spaced : zone;
        if (name is ['Z' or 'z', ..] || name.StartsWith("UTC", StringComparison.OrdinalIgnoreCase) || name.StartsWith("GMT", StringComparison.OrdinalIgnoreCase))
            return new DateTimeOffset(time, TimeSpan.Zero);
        if (zone is not ['+' or '-', _, _, ':', _, _, ..] || !TimeSpan.TryParseExact(zone[1..6], @"hh\:mm", CultureInfo.InvariantCulture, out var offset) || offset >= TimeSpan.FromHours(14))
            return null;
        var ticks = zone[0] == '-' ? time.Ticks + offset.Ticks : time.Ticks - offset.Ticks;
        return ticks >= DateTime.MinValue.Ticks && ticks <= DateTime.MaxValue.Ticks ? new DateTimeOffset(ticks, TimeSpan.Zero) : null;
    }

    private static DateTimeOffset? Parse(ReadOnlySpan<char> text, string[] forms) =>
        DateTimeOffset.TryParseExact(text, forms, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AllowWhiteSpaces, out var date) ? date : null;

    private static int EndOfDigits(ReadOnlySpan<char> text, int from)
    {
        while (from < text.Length && char.IsAsciiDigit(text[from]))
            from++;
        return from;
    }
}
