using System.Globalization;

namespace HaKit;

/// <summary>
/// Checks that a setting is within its range. Every number and every time of the options has an upper bound, because sums and multiples of larger values would
/// overflow. NaN is in no range. A message names the setting, its value and the range. Compiled into the packages that have settings of their own. Pure.
/// </summary>
internal static class SettingRange
{
    /// <summary>The longest time of most settings: ten years. Twice this time, added to the pool's time, is still a valid <see cref="TimeSpan"/>.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromDays(3650);

    /// <summary>The longest time of a setting that is given to a timer or to a socket: one day. The runtime refuses more than 24 days.</summary>
    public static readonly TimeSpan LongestOfTimer = TimeSpan.FromDays(1);

    /// <summary>Finds the mistake of a time that must be more than 0. Null if there is none.</summary>
    public static string? FindAboveZero(string setting, TimeSpan value, TimeSpan? most = null)
    {
        var longest = most ?? Longest;
        return value > TimeSpan.Zero && value <= longest ? null : $"{setting} is {DurationText.OfSetting(value)}: more than 0 and at most {DurationText.OfSetting(longest)} is needed.";
    }

    /// <summary>Finds the mistake of a time. Null if there is none.</summary>
    public static string? Find(string setting, TimeSpan value, TimeSpan least = default, TimeSpan? most = null)
    {
        var longest = most ?? Longest;
        return value >= least && value <= longest ? null : $"{setting} is {DurationText.OfSetting(value)}: {(least == default ? "0" : DurationText.OfSetting(least))} to {DurationText.OfSetting(longest)} is needed.";
    }

    /// <summary>Finds the mistake of a number. Null if there is none.</summary>
    public static string? Find(string setting, double value, double least, double most) =>
        value >= least && value <= most ? null : $"{setting} is {Shown(value)}: {Bound(least)} to {Bound(most)} is needed.";

    /// <summary>Finds the mistake of a number that must be above 0. Null if there is none.</summary>
    public static string? FindAboveZero(string setting, double value, double most) =>
        value > 0 && value <= most ? null : $"{setting} is {Shown(value)}: above 0 and at most {Bound(most)} is needed.";

    /// <summary>Finds the mistake of a whole number. Null if there is none.</summary>
    public static string? Find(string setting, long value, long least, long most) =>
        value >= least && value <= most ? null : $"{setting} is {value.ToString(CultureInfo.InvariantCulture)}: {Bound(least)} to {Bound(most)} is needed.";

    /// <summary>Throws if there is a mistake.</summary>
    /// <param name="of">What the settings belong to, in front of the message.</param>
    /// <param name="mistakes">The mistakes; null for a setting within its range.</param>
    /// <exception cref="ArgumentException">There is a mistake. The message names all of them.</exception>
    public static void ThrowIfAny(string of, params IEnumerable<string?> mistakes)
    {
        if (mistakes.OfType<string>().ToList() is { Count: > 0 } wrong)
            throw new ArgumentException(of + string.Join(' ', wrong));
    }

    private static string Shown(double value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Bound(double bound) => bound.ToString("#,0.######", CultureInfo.InvariantCulture);
}
