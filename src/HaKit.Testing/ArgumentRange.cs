using System.Runtime.CompilerServices;

namespace HaKit.Testing;

/// <summary>Checks the numbers and the times that a test gives. An infinite rate would never end, and a timer takes no time above 49 days.</summary>
internal static class ArgumentRange
{
    public const double SmallestRate = 0.000001;
    public const double LargestRate = 1_000_000;

    /// <summary>The longest work of a simulated endpoint.</summary>
    public static readonly TimeSpan LongestWork = TimeSpan.FromDays(30);

    /// <exception cref="ArgumentOutOfRangeException">The number is out of the range.</exception>
    public static void Check(double value, double least, double most, [CallerArgumentExpression(nameof(value))] string name = "")
    {
        if (SettingRange.Find(name, value, least, most) is { } mistake)
            throw new ArgumentOutOfRangeException(name, mistake);
    }

    /// <exception cref="ArgumentOutOfRangeException">The time is out of the range.</exception>
    public static void Check(TimeSpan value, TimeSpan least, TimeSpan most, [CallerArgumentExpression(nameof(value))] string name = "")
    {
        if (SettingRange.Find(name, value, least, most) is { } mistake)
            throw new ArgumentOutOfRangeException(name, mistake);
    }

    /// <exception cref="ArgumentOutOfRangeException">The time is not more than 0, or too long.</exception>
    public static void CheckAboveZero(TimeSpan value, TimeSpan most, [CallerArgumentExpression(nameof(value))] string name = "")
    {
        if (SettingRange.FindAboveZero(name, value, most) is { } mistake)
            throw new ArgumentOutOfRangeException(name, mistake);
    }
}
