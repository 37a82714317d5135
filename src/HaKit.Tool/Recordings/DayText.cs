using System.Globalization;
using System.Text;

namespace HaKit.Tool.Recordings;

/// <summary>A recording as text for a terminal.</summary>
internal static class DayText
{
    private const int MostChanges = 40;

    public static string ToText(DayFigures day)
    {
        var text = new StringBuilder();
        Line($"{day.Pool}: {day.From:yyyy-MM-dd HH:mm:ss} to {day.Until:yyyy-MM-dd HH:mm:ss} UTC, {day.Files} files");
        Line($"{day.Whole.Calls} calls, {100 * day.Whole.Served:0.0000} % served, {day.Whole.Lost} lost, {day.Whole.Waited} waited; median {day.Whole.P50:0.00} s, 99th percentile {day.Whole.P99:0.00} s, {day.Whole.AttemptsPerCall:0.0000} attempts a call");
        if (day.Dropped > 0)
            Line($"{day.Dropped} entries of the recording were dropped.");
        foreach (var problem in day.Problems)
            Line($"{problem}");
        Named("lost by", day.Losses);
        Named("waited by", day.Waits);
        Line($"");
        Line($"{"endpoint",-20}{"attempts",10}{"served",10}{"p50 s",8}{"p99 s",8}{"out",9}{"probes",8}{"failed",8}  faults");
        foreach (var e in day.Endpoints)
            Line($"{e.Name,-20}{e.Attempts,10}{Percent(e.Served, e.Attempts),10}{e.P50,8:0.00}{e.P99,8:0.00}{e.OutShare,9:0.00 %}{e.Probes,8}{e.ProbesFailed,8}  {string.Join(", ", e.Faults.Take(3).Select(static f => $"{f.Key} {f.Value}"))}");
        Line($"");
        Line($"{"from",-20}{"calls",10}{"served",10}{"p50 s",8}{"p99 s",8}{"lost",9}{"waited",8}{"att/call",10}");
        foreach (var part in day.Parts)
            Line($"{part.From,-20:yyyy-MM-dd HH:mm:ss}{part.Calls,10}{Percent(part.Calls - part.Lost, part.Calls),10}{part.P50,8:0.00}{part.P99,8:0.00}{part.Lost,9}{part.Waited,8}{part.AttemptsPerCall,10:0.000}");
        if (day.Changes.Count > 0)
            Line($"");
        foreach (var change in day.Changes.Take(MostChanges))
            Line($"{change.At:HH:mm:ss.f}  {change.Endpoint}: {change.Before} -> {change.After}{(change.OutFor > TimeSpan.Zero ? $" for {change.OutFor.TotalSeconds.ToString("0.#", CultureInfo.InvariantCulture)} s" : "")}, seen by {change.Source}{(change.Fault is { } fault ? $" ({fault})" : "")}");
        if (day.Changes.Count > MostChanges)
            Line($"and {day.Changes.Count - MostChanges} more changes; --html shows them over time.");
        return text.ToString();

        void Named(string what, IReadOnlyDictionary<string, int> counts)
        {
            if (counts.Count > 0)
                Line($"{what}: {string.Join(", ", counts.Select(static c => $"{c.Key} {c.Value}"))}");
        }

        void Line(FormattableString line) => text.AppendLine(line.ToString(CultureInfo.InvariantCulture).TrimEnd());
    }

    public static string Percent(int part, int whole) => whole == 0 ? "-" : string.Create(CultureInfo.InvariantCulture, $"{100.0 * part / whole:0.00} %");
}
