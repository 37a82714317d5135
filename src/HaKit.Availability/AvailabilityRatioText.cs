using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace HaKit.Availability;

/// <summary>Writes an availability as text, and reads it back. Pure.</summary>
internal static class AvailabilityRatioText
{
    private static readonly string[] Digits = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];

    public static string Format(AvailabilityRatio ratio, string? format) => format switch
    {
        null or "" or "P" or "G" => Percent(ratio),
        "N" => ShortNines(ratio),
        "W" => WordNines(ratio),
        "R" => Exact(ratio),
        _ => throw new FormatException($"An availability is formatted as P, N, W or R, not '{format}'."),
    };

    public static bool TryParse([NotNullWhen(true)] string? s, out AvailabilityRatio result)
    {
        result = default;
        var text = s.AsSpan().Trim();
        if (text.IsEmpty)
            return false;
        if (text[^1] == '%')
            return TryDecimal(text[..^1].TrimEnd(), 100m, out result) || TryBeyondDecimal(text[..^1].TrimEnd(), out result);
        if (text.StartsWith("1-"))
        {
            if (!double.TryParse(text[2..], NumberStyles.Float, CultureInfo.InvariantCulture, out var u) || u is not (>= 0 and <= 1))
                return false;
            result = AvailabilityRatio.FromUnavailability(u);
            return true;
        }

        return TryDecimal(text, 1m, out result) || TryBeyondDecimal100(text, out result) || TryShort(text, out result) || TryWords(text.ToString(), out result);
    }

    private static bool TryDecimal(ReadOnlySpan<char> text, decimal whole, out AvailabilityRatio result)
    {
        result = default;
        const NumberStyles style = NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingWhite;
        // A decimal holds 28 digits. Longer texts would be rounded, perhaps up to 1, so they are refused.
        if (text.Length > 27 || !decimal.TryParse(text, style, CultureInfo.InvariantCulture, out var value) || value > whole)
            return false;
        result = AvailabilityRatio.FromPair((double)(value / whole), (double)((whole - value) / whole));
        return true;
    }

    private static bool TryBeyondDecimal(ReadOnlySpan<char> text, out AvailabilityRatio result) => TryDouble(text, 100, out result);

    private static bool TryBeyondDecimal100(ReadOnlySpan<char> text, out AvailabilityRatio result) => TryDouble(text, 1, out result);

    private static bool TryDouble(ReadOnlySpan<char> text, double whole, out AvailabilityRatio result)
    {
        result = default;
        if (!double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) || value is not >= 0 || value > whole)
            return false;
        result = AvailabilityRatio.From(value / whole);
        return true;
    }

    private static bool TryShort(ReadOnlySpan<char> text, out AvailabilityRatio result)
    {
        result = default;
        var at = text.IndexOfAny('N', 'n');
        if (at <= 0 || !int.TryParse(text[..at], NumberStyles.None, CultureInfo.InvariantCulture, out var nines))
            return false;
        var digit = 0;
        if (at + 1 < text.Length && (text.Length > at + 2 || !int.TryParse(text[(at + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out digit)))
            return false;
        return TryNines(nines, digit, out result);
    }

    private static bool TryWords(string text, out AvailabilityRatio result)
    {
        result = default;
        var words = text.ToLowerInvariant().Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (words.Length is not (2 or 3) || words[1] is not ("nine" or "nines"))
            return false;
        var nines = Array.IndexOf(Digits, words[0]);
        var digit = words.Length == 3 ? Array.IndexOf(Digits, words[2]) : 0;
        return nines >= 0 && digit is >= 0 and <= 9 && TryNines(nines, digit, out result);
    }

    private static bool TryNines(int nines, int digit, out AvailabilityRatio result)
    {
        // The power is calculated as a decimal. Therefore the unavailability of "3N5" is exactly 0.0005.
        result = nines <= 26 ? AvailabilityRatio.FromUnavailability((double)((10 - digit) * Tenth(nines + 1))) : AvailabilityRatio.FromUnavailability((10 - digit) * Math.Pow(10, -nines - 1));
        return nines <= 300;

        static decimal Tenth(int power)
        {
            var value = 1m;
            for (var i = 0; i < power; i++)
                value /= 10;
            return value;
        }
    }

    private static string Percent(AvailabilityRatio ratio)
    {
        if (ratio.Unavailability == 0)
            return "100%";
        if (ratio.Unavailability < 1e-22)
            return Exact(ratio);
        var places = ratio.Unavailability >= 0.5 ? 2 : Math.Clamp((int)Math.Floor(ratio.Nines) + 1, 1, 26);
        if (ratio.Value > 0 && ratio.Value < 0.01)
            places = Math.Clamp(2 - (int)Math.Floor(Math.Log10(ratio.Value)) - 2, 2, 26);
        // Uses the availability or the unavailability, whichever is smaller, because a decimal created from a double keeps only fifteen significant digits.
        var percent = ratio.Unavailability <= 0.5 ? 100m - 100m * (decimal)ratio.Unavailability : 100m * (decimal)ratio.Value;
        return decimal.Round(percent, places).ToString("0.##########################", CultureInfo.InvariantCulture) + "%";
    }

    private static (int Nines, int Digit) RunOfNines(AvailabilityRatio ratio)
    {
        if (ratio.Unavailability == 0)
            return (int.MaxValue, 0);
        var nines = (int)Math.Floor(ratio.Nines + 1e-12);
        var left = ratio.Unavailability * Math.Pow(10, nines);
        return (nines, Math.Clamp((int)Math.Floor(10 * (1 - left) + 1e-9), 0, 9));
    }

    private static string ShortNines(AvailabilityRatio ratio)
    {
        var (nines, digit) = RunOfNines(ratio);
        if (nines == int.MaxValue)
            return "100%";
        return digit == 0 ? $"{nines}N" : $"{nines}N{digit}";
    }

    private static string WordNines(AvailabilityRatio ratio)
    {
        var (nines, digit) = RunOfNines(ratio);
        if (nines == int.MaxValue)
            return "always";
        var count = nines < Digits.Length ? Digits[nines] : nines.ToString(CultureInfo.InvariantCulture);
        return $"{count} {(nines == 1 ? "nine" : "nines")}{(digit == 0 ? "" : " " + Digits[digit])}";
    }

    private static string Exact(AvailabilityRatio ratio) => ratio.Unavailability < 0.5
        ? "1-" + ratio.Unavailability.ToString("R", CultureInfo.InvariantCulture)
        : ratio.Value.ToString("R", CultureInfo.InvariantCulture);
}
