using System.Buffers.Text;

namespace HaKit.Heartbeats;

/// <summary>Reads lines of the Prometheus text format and of OpenMetrics: <c>name{labels} value [timestamp] [# {labels} exemplar]</c>. Pure.</summary>
internal static class PrometheusText
{
    /// <summary>Gets the value of a line. Null unless it is a finite number that is not negative.</summary>
    public static double? ValueOf(ReadOnlySpan<byte> line) => NumberOf(line) is { } value && double.IsFinite(value) && value >= 0 ? value : null;

    /// <summary>Gets the number of a line, which may be negative, infinite or NaN. Null if it has none.</summary>
    public static double? NumberOf(ReadOnlySpan<byte> line)
    {
        var labels = LabelsOf(line);
        var from = labels.End.Value;
        if (from == 0 && (from = line.IndexOfAny((byte)' ', (byte)'\t')) < 0)
            return null;
        var text = TrimBlanks(line[from..]);
        if (text.StartsWith("+Inf"u8) || text.StartsWith("Inf"u8))
            return double.PositiveInfinity;
        if (text.StartsWith("-Inf"u8))
            return double.NegativeInfinity;
        if (text.StartsWith("NaN"u8))
            return double.NaN;
        return Utf8Parser.TryParse(text, out double value, out _) ? value : null;
    }

    /// <summary>Checks whether the line belongs to the metric and has these labels among its own.</summary>
    /// <param name="line">The line.</param>
    /// <param name="name">The metric's name.</param>
    /// <param name="labels">The labels as the format writes them, <c>name="value"</c>.</param>
    public static bool IsOf(ReadOnlySpan<byte> line, ReadOnlySpan<byte> name, byte[][] labels)
    {
        if (!line.StartsWith(name) || line.Length == name.Length || line[name.Length] is not ((byte)'{' or (byte)' ' or (byte)'\t'))
            return false;
        var own = line[LabelsOf(line)];
        foreach (var label in labels)
        {
            if (!Has(own, label))
                return false;
        }

        return true;
    }

    // Gets the range after the opening brace, up to and including the closing brace. Empty (0 to 0) if there are no labels.
    private static Range LabelsOf(ReadOnlySpan<byte> line)
    {
        var name = line.IndexOfAny((byte)'{', (byte)' ', (byte)'\t');
        if (name < 0)
            return default;
        var brace = line.Length - TrimBlanks(line[name..]).Length;
        if (brace == line.Length || line[brace] != '{')
            return default;
        // A label's value may contain braces, and so may an exemplar after the value.
        var isQuoted = false;
        for (var at = brace + 1; at < line.Length; at++)
        {
            if (line[at] == '"')
                isQuoted = !isQuoted;
            else if (isQuoted && line[at] == '\\')
                at++;
            else if (!isQuoted && line[at] == '}')
                return (brace + 1)..(at + 1);
        }
        return default;
    }

    private static ReadOnlySpan<byte> TrimBlanks(ReadOnlySpan<byte> text) => text.TrimStart(" \t"u8);

    // Searches for a whole label: it starts at the beginning or after a comma, and ends before a comma or the closing brace.
    private static bool Has(ReadOnlySpan<byte> own, ReadOnlySpan<byte> label)
    {
        for (var from = 0; own[from..].IndexOf(label) is >= 0 and var at; from += at + 1)
        {
            var start = from + at;
            var end = start + label.Length;
            if ((start == 0 || own[start - 1] is (byte)',' or (byte)' ') && end < own.Length && own[end] is (byte)',' or (byte)'}')
                return true;
        }
        return false;
    }
}
