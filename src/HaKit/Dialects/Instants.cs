using System.Buffers;
using System.Globalization;

namespace HaKit.Dialects;

/// <summary>Reads the forms in which servers write an instant. Every method returns null for a text that it cannot read.</summary>
internal static class Instants
{
    /// <summary>The last second of the year 9999, as a Unix time.</summary>
    public const double LastUnixSecond = 253402300799;

    private const string Regain = "regain access on ";
    private const int RegainedWidth = 23;
    private const int LongestInstant = 48;
    private const int MostFractionDigits = 7;
    private const int DateAndTime = 19;

    // The forms before the name GMT or UTC.
    private static readonly string[] s_httpDates = ["ddd, d MMM yyyy HH:mm:ss", "dddd, dd-MMM-yy HH:mm:ss", "ddd, dd-MMM-yyyy HH:mm:ss", "d MMM yyyy HH:mm:ss"];

    private static readonly string[] s_otherDates = ["ddd MMM d HH:mm:ss yyyy", "ddd, d MMM yyyy HH:mm:ss zzz", "ddd MMM d yyyy HH:mm:ss 'GMT'zzz"];

    private static readonly string[] s_rfc3339 =
    [
        "yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK", "yyyy-MM-dd'T'HH:mm:sszzz", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFzzz",
        "yyyy-MM-dd HH:mm:ssK", "yyyy-MM-dd HH:mm:ss.FFFFFFFK", "yyyy-MM-dd HH:mm:sszzz", "yyyy-MM-dd HH:mm:ss.FFFFFFFzzz", "yyyyMMdd'T'HHmmssK",
    ];

    private static readonly string[] s_inSentence = ["yyyy-MM-dd'T'HH:mm:ss", "yyyy-MM-dd HH:mm:ss"];

    // The words before an instant in a sentence.
    private static readonly SearchValues<string> s_words = SearchValues.Create(["reset at", "resets at", "again at", "available at", "retry at"], StringComparison.OrdinalIgnoreCase);

    /// <summary>
    /// Reads an HTTP date in any of its three forms, also with a numeric zone, the date of a cookie, a date without its day, and the form in which JavaScript
    /// writes a date.
    /// </summary>
    public static DateTimeOffset? HttpDate(ReadOnlySpan<char> text)
    {
        if (text.IndexOf(" (", StringComparison.Ordinal) is >= 0 and var comment)
            text = text[..comment];
        text = text.TrimEnd();
        return EndsWithName(text) ? Parse(text[..^3], s_httpDates) : Parse(text, s_otherDates);
    }

    /// <summary>
    /// Reads an instant of RFC 3339, in its basic form too, and the form in which Go writes a time (<c>2026-01-01 09:00:00 +0800 CST</c>). Digits after the
    /// seventh of a fraction are ignored.
    /// </summary>
    public static DateTimeOffset? Rfc3339(ReadOnlySpan<char> text)
    {
        text = text.Trim();
        if (text.Length > LongestInstant || text.IsEmpty || !char.IsAsciiDigit(text[0]))
            return null;
        Span<char> buffer = stackalloc char[LongestInstant];
        var upper = WithoutZoneName(buffer[..text.ToUpperInvariant(buffer)]);
        if (upper.IndexOf('.') is > 0 and var point && EndOfDigits(upper, point + 1) is var end && end > point + 1 + MostFractionDigits)
        {
            var kept = point + 1 + MostFractionDigits;
            upper[end..].CopyTo(upper[kept..]);
            upper = upper[..(kept + upper.Length - end)];
        }
        return Parse(upper, s_rfc3339);
    }

    // " UTC" without an offset, and any name after an offset.
    private static Span<char> WithoutZoneName(Span<char> text)
    {
        var start = text.Length;
        while (start > 0 && char.IsAsciiLetterUpper(text[start - 1]))
            start--;
        if (start == text.Length || start < 6 || text[start - 1] != ' ')
            return text;
        var before = text[..(start - 1)];
        var hasOffset = before is [.., '+' or '-', _, _, _, _] or [.., '+' or '-', _, _, ':', _, _];
        return hasOffset || EndsWithName(text) ? before : text;
    }

    private static bool EndsWithName(ReadOnlySpan<char> text) =>
        text.EndsWith("GMT", StringComparison.OrdinalIgnoreCase) || text.EndsWith("UTC", StringComparison.OrdinalIgnoreCase);

    /// <summary>Gets the instant of a Unix time. Null if it is before 1970 or after the year 9999.</summary>
    /// <param name="seconds">The Unix time in seconds.</param>
    public static DateTimeOffset? OfUnix(double seconds) => seconds is >= 0 and < LastUnixSecond ? DateTimeOffset.UnixEpoch.AddSeconds(seconds) : null;

    /// <summary>Checks whether a text may contain an instant after which a limit ends.</summary>
    /// <param name="text">The message of an error.</param>
    public static bool AreIn(ReadOnlySpan<char> text) => text.ContainsAny(s_words) || text.Contains(Regain, StringComparison.Ordinal);

    /// <summary>Reads the instant in Anthropic's <c>You will regain access on 2026-08-01 at 00:00 UTC</c>.</summary>
    public static DateTimeOffset? RegainedAt(ReadOnlySpan<char> sentence)
    {
        const string form = "yyyy-MM-dd 'at' HH:mm 'UTC'";
        var at = sentence.IndexOf(Regain, StringComparison.Ordinal) + Regain.Length;
        if (at < Regain.Length || sentence.Length - at < RegainedWidth)
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
        if (name is not ['+' or '-', ..] || !TryOffset(name[1..], out var offset) || offset >= TimeSpan.FromHours(14))
            return null;
        var ticks = name[0] == '-' ? time.Ticks + offset.Ticks : time.Ticks - offset.Ticks;
        return ticks >= DateTime.MinValue.Ticks && ticks <= DateTime.MaxValue.Ticks ? new DateTimeOffset(ticks, TimeSpan.Zero) : null;
    }

    // "08:00" or "0800".
    private static bool TryOffset(ReadOnlySpan<char> text, out TimeSpan offset)
    {
        var isShort = text.Length >= 4 && text[2] != ':';
        var length = isShort ? 4 : 5;
        return TimeSpan.TryParseExact(text[..Math.Min(length, text.Length)], isShort ? "hhmm" : @"hh\:mm", CultureInfo.InvariantCulture, out offset);
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
