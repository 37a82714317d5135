using System.Globalization;

namespace HaKit;

/// <summary>Formats durations with the digits that a reader needs: <c>0.25 s</c>, <c>4.2 s</c>, <c>45 s</c>, <c>12 min</c>, <c>3.5 h</c>.</summary>
internal static class DurationText
{
    public static string Write(TimeSpan duration) => duration.TotalSeconds switch
    {
        < 1 and var s => string.Create(CultureInfo.InvariantCulture, $"{s:0.##} s"),
        < 10 and var s => string.Create(CultureInfo.InvariantCulture, $"{s:0.#} s"),
        < 120 and var s => string.Create(CultureInfo.InvariantCulture, $"{s:0} s"),
        < 7200 and var s => string.Create(CultureInfo.InvariantCulture, $"{s / 60:0} min"),
        var s => string.Create(CultureInfo.InvariantCulture, $"{s / 3600:0.#} h"),
    };
}
