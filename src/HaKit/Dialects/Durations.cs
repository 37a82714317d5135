using System.Buffers;
using System.Globalization;

namespace HaKit.Dialects;

/// <summary>
/// Reads the forms in which servers write a time to wait. Every method returns null for a text that it cannot read. The methods that return a wait also return
/// null if the wait is zero or negative, because the pool's own backoff is more useful than no wait.
/// </summary>
internal static class Durations
{
    /// <summary>Longer waits are cut to this length, so that the sum of a clock's time and a wait never overflows.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromDays(365);

    private const int LongestIsoDuration = 32;
    private const double UnixSeconds = 1e9;
    private const double UnixMilliseconds = 1e12;
    private const double UnixMicroseconds = 1e14;
    private const double UnixNanoseconds = 1e17;
    private const double MostUnixNanoseconds = 1e20;

    private static readonly SearchValues<char> s_numeric = SearchValues.Create("0123456789.");

    // The words before a time to wait. After the words of the second list, the number needs a unit, because the words also precede other numbers.
    private static readonly string[] s_retryWords = ["again in ", "again after ", "retry in ", "retry in: ", "retry after ", "retry after: ", "your request in ", "your request after ", "replenished in "];
    private static readonly string[] s_waitWords = ["wait ", "reset in ", "resets in ", "available in ", "retry-after: ", "retry_after: ", "reset after ", "resets after "];
    private static readonly SearchValues<string> s_waits = SearchValues.Create([.. s_retryWords, .. s_waitWords], StringComparison.OrdinalIgnoreCase);
    private static readonly string[] s_fillers = ["for ", "about ", "approximately ", "around ", "at least ", "another "];

    private static readonly string[] s_clockTimes = [@"h\:mm\:ss", @"h\:mm\:ss\.FFFFFFF", @"d\.h\:mm\:ss", @"d\.h\:mm\:ss\.FFFFFFF"];

    /// <summary>Reads milliseconds. A number above 10¹² is a Unix time. A text that is no number has its own unit.</summary>
    /// <param name="text">The header's text.</param>
    /// <param name="now">The server's time, for instants.</param>
    public static TimeSpan? Milliseconds(ReadOnlySpan<char> text, DateTimeOffset now)
    {
        if (!TryNumber(text.Trim(), out var number))
            return Any(text, now);
        return number > UnixMilliseconds ? Until(Instants.OfUnix(InSeconds(number)), now) : Future(number * 0.001);
    }

    /// <summary>Reads a number of units. The scale is the length of one unit, in seconds.</summary>
    public static TimeSpan? Scaled(ReadOnlySpan<char> text, double scale) => TryNumber(text.Trim(), out var number) ? Future(number * scale) : null;

    /// <summary>
    /// Reads seconds. A number above 10⁹ is a Unix time in seconds, above 10¹² in milliseconds, above 10¹⁴ in microseconds and above 10¹⁷ in nanoseconds, because
    /// such a long duration is meaningless.
    /// </summary>
    /// <param name="text">The number.</param>
    /// <param name="now">The server's time, for Unix times.</param>
    public static TimeSpan? Seconds(ReadOnlySpan<char> text, DateTimeOffset now)
    {
        if (!TryNumber(text.Trim(), out var number))
            return null;
        return number switch
        {
            > UnixMilliseconds => Unix(InSeconds(number), now),
            > UnixSeconds => Unix(number, now),
            _ => Future(number),
        };
    }

    /// <summary>Reads a Unix time, in seconds. Null for a number that is a duration.</summary>
    /// <param name="text">The number.</param>
    /// <param name="scale">
    /// The unit that the number has if it is a duration: 1 for seconds, 0.001 for milliseconds. In milliseconds, only a number above 10¹² is a Unix time.
    /// </param>
    public static double? UnixTime(ReadOnlySpan<char> text, double scale)
    {
        if (!TryNumber(text.Trim(), out var number))
            return null;
        if (number > UnixMilliseconds)
            return InSeconds(number);
        return scale == 1 && number > UnixSeconds ? number : null;
    }

    /// <summary>
    /// Reads a wait in any form: a number of seconds, a Unix time, a Go duration, a clock time (<c>00:01:30</c>), an ISO 8601 duration, an HTTP or RFC 3339
    /// date, or a number with its unit. In a list of waits that are separated by commas, the longest wait counts.
    /// </summary>
    /// <param name="text">The header's text.</param>
    /// <param name="now">The server's time, for instants.</param>
    public static TimeSpan? Any(ReadOnlySpan<char> text, DateTimeOffset now)
    {
        if (One(text, now) is { } one || !text.Contains(','))
            return One(text, now);
        TimeSpan? longest = null;
        foreach (var part in text.Split(','))
        {
            if (One(text[part], now) is { } wait && !(longest >= wait))
                longest = wait;
        }

        return longest;
    }

    /// <summary>Reads a Go duration: <c>6ms</c>, <c>1s</c>, <c>6m0s</c>, <c>10h17m5.723541104s</c>.</summary>
    public static TimeSpan? GoDuration(ReadOnlySpan<char> text)
    {
        text = text.Trim();
        if (text.IsEmpty)
            return null;
        double seconds = 0;
        while (!text.IsEmpty)
        {
            var digits = text.IndexOfAnyExcept(s_numeric);
            if (digits <= 0 || !TryNumber(text[..digits], out var number))
                return null;
            text = text[digits..];
            var letters = text.IndexOfAny(s_numeric);
            var unit = letters < 0 ? text : text[..letters];
            if (UnitSeconds(unit) is not { } scale)
                return null;
            seconds += number * scale;
            text = text[unit.Length..];
        }

        return Future(seconds);
    }

    public static TimeSpan? Until(DateTimeOffset? instant, DateTimeOffset now) =>
        instant is { } at && now != default ? Future((at - now).TotalSeconds) : null;

    /// <summary>Checks whether a text may contain a wait (<see cref="InSentence"/>).</summary>
    /// <param name="text">The message of an error.</param>
    public static bool AreIn(ReadOnlySpan<char> text) => text.ContainsAny(s_waits);

    /// <summary>
    /// Reads the wait in a sentence: <c>try again in 5.289s</c>, <c>retry in 10h17m5.7s</c>, <c>retry after 26 seconds</c>, <c>please wait for about 1 minute and
    /// 30 seconds</c>.
    /// </summary>
    /// <param name="sentence">The message of an error.</param>
    /// <param name="isLimit">
    /// True if a limit or an overload refused the request. In any other error, "wait 30 s" may be the time that the server has already waited.
    /// </param>
    public static TimeSpan? InSentence(ReadOnlySpan<char> sentence, bool isLimit)
    {
        if (!sentence.ContainsAny(s_waits))
            return null;
        return AfterAny(sentence, s_retryWords, needsUnit: false) ?? (isLimit ? AfterAny(sentence, s_waitWords, needsUnit: true) : null);
    }

    private static TimeSpan? One(ReadOnlySpan<char> text, DateTimeOffset now)
    {
        text = Unwrapped(text);
        return Seconds(text, now) ?? GoDuration(text) ?? ClockTime(text) ?? IsoDuration(text) ?? Until(Instants.HttpDate(text) ?? Instants.Rfc3339(text), now) ?? WithUnits(text);
    }

    // "'20'", "20;", "in 20 seconds", "~20s".
    private static ReadOnlySpan<char> Unwrapped(ReadOnlySpan<char> text)
    {
        text = text.Trim();
        if (text.Length > 1 && text[0] is '"' or '\'' && text[^1] == text[0])
            text = text[1..^1].Trim();
        text = text.TrimEnd(" ;");
        if (Begins(text, "in "))
            text = text["in ".Length..];
        else if (Begins(text, "after "))
            text = text["after ".Length..];
        return (text is ['~', .. var amount] ? amount : text).Trim();
    }

    // "00:01:30", "5.03:23:11": servers on .NET write a duration like this.
    private static TimeSpan? ClockTime(ReadOnlySpan<char> text) =>
        text.Contains(':') && !text.EndsWith('.') && TimeSpan.TryParseExact(text, s_clockTimes, CultureInfo.InvariantCulture, out var time) ? Future(time.TotalSeconds) : null;

    // "PT1M30S", "P2D", "P1DT2H" (ISO 8601). Without its two letters, the text is a Go duration in capitals. Before the T, M means months, so only days count.
    private static TimeSpan? IsoDuration(ReadOnlySpan<char> text)
    {
        if (text is not ['P' or 'p', .. var rest] || rest.Length > LongestIsoDuration)
            return null;
        Span<char> buffer = stackalloc char[LongestIsoDuration];
        var lower = buffer[..rest.ToLowerInvariant(buffer)];
        var letter = lower.IndexOf('t');
        var days = letter < 0 ? lower : lower[..letter];
        var hasDays = days is [.. var count, 'd'] && count.Length is > 0 and <= 5 && !count.ContainsAnyExceptInRange('0', '9');
        if (letter < 0)
            return hasDays ? GoDuration(days) : null;
        if (!hasDays && !days.IsEmpty || letter + 1 == lower.Length)
            return null;
        lower[(letter + 1)..].CopyTo(lower[letter..]);
        return GoDuration(lower[..^1]);
    }

    // The unit of a Unix time follows from its size.
    private static double InSeconds(double number) => number switch
    {
        > UnixNanoseconds and < MostUnixNanoseconds => number / 1e9,
        > UnixMicroseconds and < MostUnixNanoseconds => number / 1e6,
        _ => number / 1e3,
    };

    // Without the present time (default), the wait until an instant cannot be computed.
    private static TimeSpan? Unix(double seconds, DateTimeOffset now)
    {
        if (seconds > Instants.LastUnixSecond)
            return now == default ? null : Longest;
        return Until(DateTimeOffset.UnixEpoch.AddSeconds(seconds), now);
    }

    // "20 seconds", "20sec", "1 minute 30 seconds".
    private static TimeSpan? WithUnits(ReadOnlySpan<char> text)
    {
        if (text is [.. var units, '.'])
            text = units;
        double seconds = 0;
        while (!text.IsEmpty)
        {
            var end = text.IndexOfAnyExcept(s_numeric);
            if (end <= 0 || !TryNumber(text[..end], out var number))
                return null;
            text = text[end..].TrimStart(' ');
            var unit = text[..EndOf(text, char.IsAsciiLetter)];
            if (PlainSeconds(unit) is not { } scale)
                return null;
            seconds += number * scale;
            text = text[unit.Length..].TrimStart(' ');
        }

        return Future(seconds);
    }

    // Gets the seconds of a unit: a unit of a Go duration ("s"), or a word that begins like the name of a unit ("sec", "Seconds").
    private static double? PlainSeconds(ReadOnlySpan<char> unit)
    {
        if (UnitSeconds(unit) is { } scale)
            return scale;
        if (Begins(unit, "ms") || Begins(unit, "millis"))
            return 1e-3;
        if (Begins(unit, "sec") || unit is "S")
            return 1;
        if (Begins(unit, "min"))
            return 60;
        if (Begins(unit, "hour") || Begins(unit, "hr"))
            return 3600;
        return Begins(unit, "day") ? 86400 : null;
    }

    private static bool Begins(ReadOnlySpan<char> word, string start) => word.StartsWith(start, StringComparison.OrdinalIgnoreCase);

    private static TimeSpan? AfterAny(ReadOnlySpan<char> sentence, string[] words, bool needsUnit)
    {
        foreach (var phrase in words)
        {
            var at = sentence.IndexOf(phrase, StringComparison.OrdinalIgnoreCase);
            if (at >= 0 && Amount(WithoutFillers(sentence[(at + phrase.Length)..]), needsUnit) is { } wait)
                return wait;
        }

        return null;
    }

    private static ReadOnlySpan<char> WithoutFillers(ReadOnlySpan<char> text)
    {
        foreach (var filler in s_fillers)
        {
            if (Begins(text, filler))
                text = text[filler.Length..];
        }

        return text is ['~', .. var amount] ? amount : text;
    }

    // Adds several numbers with units: "1 hour, 5 minutes and 2 seconds". If the first number has no unit, needsUnit decides: if it is false, the number is in
    // seconds; if it is true, the text is not a time.
    private static TimeSpan? Amount(ReadOnlySpan<char> text, bool needsUnit)
    {
        var run = text[..EndOf(text, static c => char.IsAsciiDigit(c) || c is '.' or ':')];
        if (run.Contains(':'))
            return ClockTime(run.TrimEnd(".:"));
        double? total = null;
        while (!text.IsEmpty && char.IsAsciiDigit(text[0]))
        {
            var end = EndOfNumber(text);
            var digits = text[..end].TrimEnd('.');
            if (!TryNumber(digits, out var number, NumberStyles.AllowThousands))
                break;
            var endsSentence = digits.Length < end;
            var unit = endsSentence ? default : text[end..].TrimStart(' ');
            unit = unit[..EndOf(unit, char.IsLetter)];
            if (PlainSeconds(unit) is not { } scale)
            {
                total ??= needsUnit ? null : number;
                break;
            }

            total = (total ?? 0) + number * scale;
            text = text[end..].TrimStart(' ')[unit.Length..].TrimStart(", ");
            if (Begins(text, "and "))
                text = text["and ".Length..];
        }

        return total is { } seconds ? Future(seconds) : null;
    }

    // "1200", "1.5", "1,200.5". A comma counts only before exactly three digits. If a unit follows these digits directly, as in "5,289s", the comma may be a
    // decimal comma, so it does not count.
    private static int EndOfNumber(ReadOnlySpan<char> text)
    {
        var end = EndOf(text, char.IsAsciiDigit);
        var groups = end;
        while (end <= 3 && text[groups..] is [',', >= '0' and <= '9', >= '0' and <= '9', >= '0' and <= '9', ..] && (groups + 4 == text.Length || !char.IsAsciiLetterOrDigit(text[groups + 4])))
            groups += 4;
        return groups + EndOf(text[groups..], static c => char.IsAsciiDigit(c) || c == '.');
    }

    private static int EndOf(ReadOnlySpan<char> text, Func<char, bool> belongs)
    {
        var end = 0;
        while (end < text.Length && belongs(text[end]))
            end++;
        return end;
    }

    private static bool TryNumber(ReadOnlySpan<char> text, out double number, NumberStyles more = NumberStyles.None) =>
        double.TryParse(text, more | NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out number) && double.IsFinite(number);

    private static TimeSpan? Future(double seconds)
    {
        if (seconds >= Longest.TotalSeconds)
            return Longest;
        return seconds > 0 && TimeSpan.FromSeconds(seconds) is { Ticks: > 0 } wait ? wait : null;
    }

    private static double? UnitSeconds(ReadOnlySpan<char> unit) => unit switch
    {
        "h" => 3600,
        "m" => 60,
        "s" => 1,
        "ms" => 1e-3,
        "us" or "µs" or "μs" => 1e-6,
        "ns" => 1e-9,
        "d" => 86400,
        _ => null,
    };
}
