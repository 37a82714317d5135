using System.Buffers.Text;

namespace HaKit.Heartbeats;

/// <summary>Reads lines of the Prometheus text format: <c>name{labels} value [timestamp]</c>.</summary>
internal static class PrometheusText
{
    /// <summary>The value of a line; null when it has none that is a number from 0.</summary>
    public static double? ValueOf(ReadOnlySpan<byte> line)
    {
        // A label's value may hold any character, so the labels are skipped by their last brace.
        var from = line.LastIndexOf((byte)'}') + 1;
        if (from == 0)
            from = line.IndexOf((byte)' ');
        if (from < 0)
            return null;
        return Utf8Parser.TryParse(line[from..].TrimStart((byte)' '), out double value, out _) && double.IsFinite(value) && value >= 0 ? value : null;
    }

    /// <summary>Is it a line of the metric, with these labels among its own?</summary>
    /// <param name="line">The line.</param>
    /// <param name="name">The metric's name.</param>
    /// <param name="labels">Labels as the format writes them, <c>name="value"</c>.</param>
    public static bool IsOf(ReadOnlySpan<byte> line, ReadOnlySpan<byte> name, byte[][] labels)
    {
        if (!line.StartsWith(name) || line.Length == name.Length || line[name.Length] is not ((byte)'{' or (byte)' '))
            return false;
        var own = line[name.Length] == (byte)'{' ? line[(name.Length + 1)..(line.LastIndexOf((byte)'}') + 1)] : default;
        foreach (var label in labels)
        {
            if (!Has(own, label))
                return false;
        }

        return true;
    }

    // A whole label: behind a comma or at the beginning, and before a comma or the closing brace.
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
