using System.Globalization;

namespace HaKit.Availability.Tests;

/// <summary>One row of the table of expected values: id, function, inputs, expected, source.</summary>
public sealed record GoldenRow(string Id, string Function, string Inputs, string Expected)
{
    public static IReadOnlyList<GoldenRow> All { get; } =
        [.. File.ReadLines(Path.Combine(AppContext.BaseDirectory, "data", "availability-golden.csv")).Skip(1).Where(line => line.Length > 0).Select(Read)];

    /// <summary>The inputs between semicolons.</summary>
    public string[] Parts => Inputs.Split(';', StringSplitOptions.TrimEntries);

    /// <summary>Gets the number after "key=", without its unit.</summary>
    public double this[string key] => Number(Text(key));

    public string Text(string key) => Optional(key) ?? throw new InvalidOperationException($"{Id}: no input '{key}' in '{Inputs}'.");

    public bool Has(string text) => Inputs.Contains(text, StringComparison.Ordinal);

    public decimal Exact(string key) => decimal.Parse(Numeral(Text(key)), NumberStyles.Float, CultureInfo.InvariantCulture);

    public AvailabilityRatio Availability(string key) => AvailabilityRatio.From(Exact(key));

    /// <summary>Gets a duration with its unit; in seconds if it has no unit.</summary>
    public TimeSpan Time(string key)
    {
        var text = Text(key);
        var unit = text[Numeral(text).Length..].Trim().Split(' ')[0];
        return unit switch
        {
            "" or "s" or "(s)" => TimeSpan.FromSeconds(Number(text)),
            "ms" => TimeSpan.FromMilliseconds(Number(text)),
            "min" => TimeSpan.FromMinutes(Number(text)),
            "h" => TimeSpan.FromHours(Number(text)),
            "d" => TimeSpan.FromDays(Number(text)),
            _ => throw new InvalidOperationException($"{Id}: unknown unit '{unit}'."),
        };
    }

    /// <summary>Gets the parts that are plain numbers, as availabilities.</summary>
    public AvailabilityRatio[] Units() =>
        [.. Parts.Where(part => decimal.TryParse(part, NumberStyles.Float, CultureInfo.InvariantCulture, out _))
            .Select(part => AvailabilityRatio.From(decimal.Parse(part, NumberStyles.Float, CultureInfo.InvariantCulture)))];

    /// <summary>The parts of the form U=x.</summary>
    public AvailabilityRatio[] UnitsByUnavailability() =>
        [.. Parts.Where(part => part.StartsWith("U=", StringComparison.Ordinal)).Select(part => AvailabilityRatio.FromUnavailability(Number(part[2..])))];

    public static double Number(string text) => double.Parse(Numeral(text), NumberStyles.Float, CultureInfo.InvariantCulture);

    public override string ToString() => $"{Id} {Function}({Inputs}) = {Expected}";

    private string? Optional(string key)
    {
        foreach (var part in Parts)
        {
            if (part.StartsWith(key + "=", StringComparison.Ordinal))
                return part[(key.Length + 1)..];
        }

        return null;
    }

    private static string Numeral(string text)
    {
        var length = 0;
        while (length < text.Length && (char.IsAsciiDigit(text[length]) || text[length] is '.' or '-' or '+'
            || (text[length] is 'e' or 'E' && length + 1 < text.Length && (char.IsAsciiDigit(text[length + 1]) || text[length + 1] is '-'))))
        {
            length++;
        }

        return text[..length];
    }

    private static GoldenRow Read(string line)
    {
        var fields = new List<string>();
        var quoted = false;
        var field = new System.Text.StringBuilder();
        foreach (var c in line)
        {
            if (c == '"')
            {
                quoted = !quoted;
            }
            else if (c == ',' && !quoted)
            {
                fields.Add(field.ToString());
                field.Clear();
            }
            else
            {
                field.Append(c);
            }
        }

        return new GoldenRow(fields[0], fields[1], fields[2], fields[3]);
    }
}
