using HaKit.Tool.Rehearsals;

namespace HaKit.Tool.Rehearsals.Reports;

/// <summary>The state at one moment. Shares and times refer to the last two seconds.</summary>
internal sealed record Glance(TimeSpan Now, int Calls, int Served, int Failovers, int Lost, IReadOnlyList<Glance.Row> Endpoints)
{
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(2);

    internal sealed record Row(string Name, Trouble? Trouble, string Health, string? NotAdmittedBy, double Share, TimeSpan? P50, int InFlight);

    public static Glance At(Rehearsal rehearsal)
    {
        var now = rehearsal.Ledger.Now;
        var (calls, served, failovers, lost, times) = rehearsal.Ledger.Read(calls => (
            calls.Count,
            calls.Count(c => c.Outcome == CallOutcome.Served),
            calls.Sum(c => Math.Max(0, c.Attempts.Count - 1)),
            calls.Count(c => c.Outcome is CallOutcome.Lost or CallOutcome.Wrong),
            calls.SelectMany(c => c.Attempts).Where(a => a.IsGood && now - a.Ended < Window)
                .Select(a => (a.Endpoint, Time: a.Ended - a.Started)).ToLookup(a => a.Endpoint, a => a.Time)));
        var total = Math.Max(1, times.Sum(t => t.Count()));
        var health = rehearsal.Pool.Explain(RequestProfile.Default);
        var rows = health.Select((e, i) => new Row(
            e.Endpoint, rehearsal.TroubleOf(i), e.Health.Status.ToString(), e.NotAdmittedBy,
            (double)times[e.Endpoint].Count() / total, Statistics.Percentile(times[e.Endpoint], 0.5), e.InFlight));
        return new Glance(now, calls, served, failovers, lost, [.. rows]);
    }

    public override string ToString() =>
        $"{Calls} calls, {Served} served, {Failovers} failovers, lost {Lost}; {string.Join(", ", Endpoints.Select(e => $"{e.Name} {e.Health}"))}";
}

internal static class Statistics
{
    /// <summary>Returns the smallest value that at least the given share of all values do not exceed; null when there are no values.</summary>
    public static TimeSpan? Percentile(IEnumerable<TimeSpan> values, double share)
    {
        TimeSpan[] sorted = [.. values.Order()];
        return sorted.Length == 0 ? null : sorted[Math.Clamp((int)Math.Ceiling(share * sorted.Length) - 1, 0, sorted.Length - 1)];
    }
}
