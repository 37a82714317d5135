using System.Globalization;

namespace HaKit;

/// <summary>
/// Formats durations for people: <c>0.25 s</c>, <c>4.2 s</c>, <c>45 s</c>, <c>12 min</c>, <c>3.5 h</c>. Every message, log line and page uses it, so that no text
/// has a raw <see cref="TimeSpan"/> in it. The other packages that write durations compile this source file into their own assemblies. Pure.
/// </summary>
internal static class DurationText
{
    private static readonly TimeSpan s_tooLong = TimeSpan.FromDays(365_000);

    /// <summary>Formats a measured time, with two or three digits.</summary>
    public static string Write(TimeSpan duration) => Write(duration, digits: 2);

    /// <summary>Formats the value of a setting, with up to three digits, so that two settings that differ are shown differently.</summary>
    public static string OfSetting(TimeSpan duration) => Write(duration, digits: 3);

    /// <summary>Formats the value of a setting that may be absent.</summary>
    public static string OfSetting(TimeSpan? duration) => duration is { } known ? OfSetting(known) : "nothing";

    private static string Write(TimeSpan duration, int digits)
    {
        if (duration < TimeSpan.Zero)
            return duration > -s_tooLong ? "-" + Write(-duration, digits) : "less than -1000 years";
        return duration switch
        {
            { Ticks: 0 } => "0 s",
            { TotalMilliseconds: < 0.995 } => Number(duration.TotalMicroseconds, digits, "µs"),
            { TotalMilliseconds: < 99.5 } => Number(duration.TotalMilliseconds, digits, "ms"),
            { TotalSeconds: < 119.5 } => Number(duration.TotalSeconds, digits, "s"),
            { TotalMinutes: < 119.5 } => Number(duration.TotalMinutes, digits, "min"),
            { TotalHours: < 47.5 } => Number(duration.TotalHours, digits, "h"),
            { TotalDays: < 730 } => Number(duration.TotalDays, digits, "days"),
            _ when duration < s_tooLong => Number(duration.TotalDays / 365, digits, "years"),
            _ => "more than 1000 years",
        };
    }

    private static string Number(double value, int digits, string unit)
    {
        // The limits are 9.95 and 99.5 instead of 10 and 100, because 9.95 with one decimal is rounded to 10, which already has two digits.
        var decimals = value switch
        {
            < 0.995 => 2,
            < 9.95 => digits - 1,
            < 99.5 => digits - 2,
            _ => 0,
        };
        return string.Create(CultureInfo.InvariantCulture, $"{Math.Round(value, decimals, MidpointRounding.AwayFromZero):0.##} {unit}");
    }
}
