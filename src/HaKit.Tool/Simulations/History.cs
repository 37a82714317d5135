using HaKit.Tool.Planning;

namespace HaKit.Tool.Simulations;

/// <summary>A period on the clock of a simulation.</summary>
internal readonly record struct Span(TimeSpan From, TimeSpan Until)
{
    public TimeSpan Length => Until - From;
}

/// <summary>The times at which services had trouble, on a clock that starts with the history. Immutable.</summary>
internal sealed class History
{
    private readonly IReadOnlyList<Incident> _incidents;

    private History(IReadOnlyList<Incident> incidents, IReadOnlyList<string> services, DateTimeOffset from, TimeSpan length) =>
        (_incidents, Services, From, Length) = (incidents, services, from, length);

    public DateTimeOffset From { get; }

    public TimeSpan Length { get; }

    public IReadOnlyList<string> Services { get; }

    /// <summary>Returns the whole months in which incidents began, or the given number of days from the first month on.</summary>
    public static History FromIncidents(IReadOnlyList<Incident> incidents, IReadOnlyList<string> services, double? days)
    {
        if (services.FirstOrDefault(s => incidents.All(i => i.Service != s)) is { } unknown)
            throw new UsageException($"--services names '{unknown}', and the file has no incident of this service. It has incidents of {string.Join(", ", incidents.Select(i => i.Service).Distinct().Order(StringComparer.Ordinal))}.");
        var from = MonthOf(incidents.Min(i => i.Start));
        var to = MonthOf(incidents.Max(i => i.Start)).AddMonths(1);
        return new(incidents, services, from, days is { } wanted ? TimeSpan.FromDays(wanted) : to - from);
    }

    /// <summary>Returns a part of the history, with its own clock.</summary>
    public History Window(TimeSpan from, TimeSpan length) => new(_incidents, Services, From + from, length);

    /// <summary>Returns the periods in which a service had incidents of a given impact. Overlapping incidents become one period.</summary>
    public IReadOnlyList<Span> SpansOf(string service, Func<int, bool> impact) =>
    [
        .. from incident in Incidents.Merge(_incidents.Where(i => i.Service == service && impact(i.Impact)))
           let span = new Span(Max(incident.Start - From, TimeSpan.Zero), Min(incident.End - From, Length))
           where span.Length > TimeSpan.Zero
           select span,
    ];

    /// <summary>Returns the periods in which all services were down at the same time.</summary>
    public IReadOnlyList<Span> AllDown() =>
        Services.Select(s => SpansOf(s, static impact => impact >= 1)).Aggregate(static (all, next) => Both(all, next));

    private static IReadOnlyList<Span> Both(IReadOnlyList<Span> some, IReadOnlyList<Span> others) =>
    [
        .. from a in some
           from b in others
           let both = new Span(Max(a.From, b.From), Min(a.Until, b.Until))
           where both.Length > TimeSpan.Zero
           orderby both.From
           select both,
    ];

    private static DateTimeOffset MonthOf(DateTimeOffset time) => new(time.Year, time.Month, 1, 0, 0, 0, TimeSpan.Zero);

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
