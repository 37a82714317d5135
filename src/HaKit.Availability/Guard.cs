using System.Globalization;
using System.Runtime.CompilerServices;

namespace HaKit.Availability;

/// <summary>Throws for numbers outside a formula's domain. The exception names the parameter. NaN is never valid.</summary>
internal static class Guard
{
    public static double Probability(double value, [CallerArgumentExpression(nameof(value))] string? name = null) =>
        value is >= 0 and <= 1 ? value : throw OutOfRange(name, value, "A probability lies between 0 and 1." + InPercent(value));

    public static double OpenProbability(double value, [CallerArgumentExpression(nameof(value))] string? name = null) =>
        value is > 0 and < 1 ? value : throw OutOfRange(name, value, "The value must lie strictly between 0 and 1." + InPercent(value));

    /// <summary>Throws unless the number is above 0 and at most 1.</summary>
    public static double Share(double value, [CallerArgumentExpression(nameof(value))] string? name = null) =>
        value is > 0 and <= 1 ? value : throw OutOfRange(name, value, "A share lies above 0 and is at most 1." + InPercent(value));

    public static double Positive(double value, [CallerArgumentExpression(nameof(value))] string? name = null) =>
        value > 0 && double.IsFinite(value) ? value : throw OutOfRange(name, value, "The value must be finite and greater than zero.");

    public static double NotNegative(double value, [CallerArgumentExpression(nameof(value))] string? name = null) =>
        value >= 0 && double.IsFinite(value) ? value : throw OutOfRange(name, value, "The value must be finite and not negative.");

    public static TimeSpan Positive(TimeSpan value, [CallerArgumentExpression(nameof(value))] string? name = null) =>
        value > TimeSpan.Zero ? value : throw OutOfRange(name, value, "The duration must be greater than zero.");

    public static TimeSpan NotNegative(TimeSpan value, [CallerArgumentExpression(nameof(value))] string? name = null) =>
        value >= TimeSpan.Zero ? value : throw OutOfRange(name, value, "The duration must not be negative.");

    public static int AtLeast(int least, int value, [CallerArgumentExpression(nameof(value))] string? name = null) =>
        value >= least ? value : throw OutOfRange(name, value, $"The value must be at least {least}.");

    public static long AtLeast(long least, long value, [CallerArgumentExpression(nameof(value))] string? name = null) =>
        value >= least ? value : throw OutOfRange(name, value, $"The value must be at least {least}.");

    public static int Between(int least, int most, int value, [CallerArgumentExpression(nameof(value))] string? name = null) =>
        value >= least && value <= most ? value : throw OutOfRange(name, value, $"The value must lie between {least} and {most}.");

    public static long Between(long least, long most, long value, [CallerArgumentExpression(nameof(value))] string? name = null) =>
        value >= least && value <= most ? value : throw OutOfRange(name, value, $"The value must lie between {least} and {most}.");

    // A number such as 99.9 was probably meant as a percentage.
    public static string InPercent(double value) =>
        value is > 1 and <= 100 ? string.Create(CultureInfo.InvariantCulture, $" {value} % is {(decimal)value / 100:0.##########}.") : "";

    private static ArgumentOutOfRangeException OutOfRange(string? name, object value, string message) => new(name, value, message);
}
