using System.Globalization;
using HaKit.Availability;

namespace HaKit.Tool.Planning;

/// <summary>One reported incident.</summary>
/// <param name="Start">The time of the first notice.</param>
/// <param name="End">The time of the resolution.</param>
/// <param name="Service">The affected service.</param>
/// <param name="Impact">The severity; 0 means no effect.</param>
internal sealed record Incident(DateTimeOffset Start, DateTimeOffset End, string Service, int Impact);

/// <summary>A history of incidents, read from comma-separated lines with the columns start, end, service and impact.</summary>
internal static class Incidents
{
    private static readonly string[] Columns = ["start", "end", "service", "impact"];

    /// <exception cref="FormatException">A line is invalid; the message begins with its number.</exception>
    public static IReadOnlyList<Incident> Read(TextReader reader)
    {
        var incidents = new List<Incident>();
        int[]? columns = null;
        for (var number = 1; reader.ReadLine() is { } line; number++)
        {
            if (string.IsNullOrWhiteSpace(line))
                continue;
            var fields = line.Split(',', StringSplitOptions.TrimEntries);
            if (columns is null)
            {
                columns = [.. Columns.Select(name => Array.IndexOf(fields, name))];
                if (columns.Contains(-1))
                    throw Bad(number, $"the heading must name {string.Join(", ", Columns)}");
                continue;
            }

            if (line.Contains('"'))
                throw Bad(number, "fields in quotation marks cannot be read");
            if (fields.Length <= columns.Max())
                throw Bad(number, $"{fields.Length} fields are too few");
            incidents.Add(Parse(number, fields[columns[0]], fields[columns[1]], fields[columns[2]], fields[columns[3]]));
        }

        return columns is null ? throw Bad(1, "the file is empty") : incidents;
    }

    /// <summary>
    /// Returns one history per service. A service is down while at least one incident of the given impact is open. The clock starts at
    /// <paramref name="from"/>; incidents outside the period are cut off.
    /// </summary>
    public static IReadOnlyList<(string Service, UptimeHistory History)> ToHistories(
        IEnumerable<Incident> incidents, int minimumImpact, DateTimeOffset from, DateTimeOffset to)
    {
        var result = new List<(string, UptimeHistory)>();
        foreach (var service in incidents.GroupBy(i => i.Service).OrderBy(g => g.Key, StringComparer.Ordinal))
        {
            var history = new UptimeHistory(TimeSpan.Zero, capacity: 100_000);
            foreach (var (start, end) in Merge(service.Where(i => i.Impact >= minimumImpact && i.End > from && i.Start < to)))
            {
                history.Record(start > from ? start - from : TimeSpan.Zero, up: false);
                if (end < to)
                    history.Record(end - from, up: true);
            }

            result.Add((service.Key, history));
        }

        return result;
    }

    /// <summary>Returns the outages of the incidents. Overlapping incidents become one outage.</summary>
    public static IEnumerable<(DateTimeOffset Start, DateTimeOffset End)> Merge(IEnumerable<Incident> incidents)
    {
        (DateTimeOffset Start, DateTimeOffset End)? open = null;
        foreach (var incident in incidents.OrderBy(i => i.Start))
        {
            if (open is { } current && incident.Start <= current.End)
            {
                open = (current.Start, incident.End > current.End ? incident.End : current.End);
                continue;
            }

            if (open is { } done)
                yield return done;
            open = (incident.Start, incident.End);
        }

        if (open is { } last)
            yield return last;
    }

    private static Incident Parse(int number, string start, string end, string service, string impact)
    {
        var (from, to) = (Time(number, "start", start), Time(number, "end", end));
        if (to < from)
            throw Bad(number, "the end lies before the start");
        if (service.Length == 0)
            throw Bad(number, "the service is missing");
        return int.TryParse(impact, NumberStyles.None, CultureInfo.InvariantCulture, out var level)
            ? new Incident(from, to, service, level)
            : throw Bad(number, $"'{impact}' is no impact");
    }

    private static DateTimeOffset Time(int number, string name, string text) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time)
            ? time
            : throw Bad(number, $"'{text}' is no {name} time");

    private static FormatException Bad(int number, string why) => new($"line {number}: {why}");
}
