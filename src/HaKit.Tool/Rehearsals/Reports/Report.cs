using HaKit.Availability;
using HaKit.Testing;

namespace HaKit.Tool.Rehearsals.Reports;

/// <summary>The figures of a completed rehearsal. Times are in milliseconds unless the name says seconds.</summary>
internal sealed record Report
{
    public required string Title { get; init; }
    public required int Seed { get; init; }
    public required bool Failover { get; init; }
    public required double Seconds { get; init; }
    public required int Calls { get; init; }
    public required int Served { get; init; }
    public required int Cut { get; init; }
    public required int Wrong { get; init; }
    public required int Lost { get; init; }
    public required double? P50 { get; init; }
    public required double? P99 { get; init; }
    public required int Attempts { get; init; }
    public required int Failovers { get; init; }
    public required IReadOnlyList<FaultFigures> Faults { get; init; }
    public required MoveFigures Refused { get; init; }
    public required IReadOnlyList<EndpointFigures> Endpoints { get; init; }

    /// <summary>Gets the share of the calls that were served.</summary>
    public required string Delivered { get; init; }

    /// <summary>Gets the lower bound of that share with 95 % confidence, if the calls are taken as a sample.</summary>
    public required string DeliveredAtLeast { get; init; }

    /// <summary>Gets the errors of the first few calls that were not served.</summary>
    public required IReadOnlyList<string> Why { get; init; }

    public double AttemptsPerCall => Calls == 0 ? 0 : (double)Attempts / Calls;

    public bool Reconciles => Endpoints.All(e => e.Book.Agrees);

    public bool IsGood => Calls > 0 && Lost == 0 && Wrong == 0 && Reconciles;

    public static Report From(Rehearsal rehearsal)
    {
        var calls = rehearsal.Ledger.Read(c => c.ToArray());
        var span = calls.Select(c => c.Ended).Append(rehearsal.Plan.Duration).Max();
        var served = calls.Where(c => c.Outcome == CallOutcome.Served).ToArray();
        var times = served.Select(c => c.Duration).ToArray();
        return new Report
        {
            Title = rehearsal.Plan.Title,
            Seed = rehearsal.Plan.Seed,
            Failover = rehearsal.Plan.Failover,
            Seconds = span.TotalSeconds,
            Calls = calls.Length,
            Served = served.Length,
            Cut = calls.Count(c => c.Outcome == CallOutcome.Cut),
            Wrong = calls.Count(c => c.Outcome == CallOutcome.Wrong),
            Lost = calls.Count(c => c.Outcome is CallOutcome.Lost or CallOutcome.Open),
            P50 = Statistics.Percentile(times, 0.5)?.TotalMilliseconds,
            P99 = Statistics.Percentile(times, 0.99)?.TotalMilliseconds,
            Attempts = calls.Sum(c => c.Attempts.Count),
            Failovers = calls.Sum(c => Math.Max(0, c.Attempts.Count - 1)),
            Faults = [.. rehearsal.Plan.Acts.Select((act, i) => FaultFigures.From(act, rehearsal.ActsBegan[i], rehearsal.Servers[act.Server].Name, served))],
            Refused = MoveFigures.OfRefused(served),
            Endpoints = [.. rehearsal.Servers.Select((s, i) => EndpointFigures.From(s, i, rehearsal.Plan.Acts, span, calls))],
            Delivered = calls.Length == 0 ? "-" : AvailabilityRatio.FromUnavailability(1 - (double)served.Length / calls.Length).ToString(),
            DeliveredAtLeast = calls.Length == 0 ? "-" : Estimate.ClopperPearson(served.Length, calls.Length).Lower.ToString(),
            Why = [.. calls.Where(c => c.Why is not null).Select(c => c.Why!).Take(5)],
        };
    }
}

/// <summary>The effect of one trouble on the calls.</summary>
/// <param name="Endpoint">The affected endpoint.</param>
/// <param name="Trouble">The kind of trouble.</param>
/// <param name="BeganSeconds">The start of the trouble, in seconds.</param>
/// <param name="MetBy">The number of calls that met the trouble and were served by another endpoint.</param>
/// <param name="FirstServedElsewhere">The time from the start of the trouble to the end of the first of these calls; null when there was none.</param>
internal sealed record FaultFigures(string Endpoint, string Trouble, double? BeganSeconds, int MetBy, double? FirstServedElsewhere)
{
    public static FaultFigures From(Act act, TimeSpan? began, string endpoint, IReadOnlyList<Call> served)
    {
        var moved = served.Where(c => c.ServedBy != endpoint && c.Attempts.Any(a =>
            a.Endpoint == endpoint && !a.IsGood && a.Ended >= began && a.Started <= act.Until)).ToArray();
        return new(endpoint, act.Trouble.ToString().ToLowerInvariant(), began?.TotalSeconds, moved.Length,
            moved.Length == 0 ? null : (moved.Min(c => c.Ended) - began!.Value).TotalMilliseconds);
    }
}

/// <summary>The times of calls that were refused a connection: from the refusal to the whole answer of another endpoint.</summary>
internal sealed record MoveFigures(int Calls, double? Median, double? Worst)
{
    public static MoveFigures OfRefused(IReadOnlyList<Call> served)
    {
        var times = served
            .Where(c => c.Attempts.Any(a => a.Outcome == AttemptOutcome.Refused))
            .Select(c => c.Ended - c.Attempts.First(a => a.Outcome == AttemptOutcome.Refused).Ended).ToArray();
        return new(times.Length, Statistics.Percentile(times, 0.5)?.TotalMilliseconds, Statistics.Percentile(times, 1)?.TotalMilliseconds);
    }
}

/// <summary>The figures of one endpoint.</summary>
/// <param name="Name">The endpoint's name.</param>
/// <param name="Served">The number of calls that the endpoint served.</param>
/// <param name="Attempts">The number of attempts on the endpoint.</param>
/// <param name="P50">The median time of the endpoint's successful answers.</param>
/// <param name="OwnAvailability">The share of the time without trouble.</param>
/// <param name="Book">The client's count and the server's count.</param>
internal sealed record EndpointFigures(string Name, int Served, int Attempts, double? P50, string OwnAvailability, Book Book)
{
    public static EndpointFigures From(FakeAiServer server, int index, IEnumerable<Act> acts, TimeSpan span, IReadOnlyList<Call> calls)
    {
        var down = acts.Where(a => a.Server == index).Aggregate(TimeSpan.Zero, (sum, act) => sum + (act.Until - act.From));
        var attempts = calls.SelectMany(c => c.Attempts).Where(a => a.Endpoint == server.Name).ToArray();
        return new(
            server.Name,
            calls.Count(c => c.Outcome == CallOutcome.Served && c.ServedBy == server.Name),
            attempts.Length,
            Statistics.Percentile(attempts.Where(a => a.IsGood).Select(a => a.Ended - a.Started), 0.5)?.TotalMilliseconds,
            AvailabilityRatio.FromDowntime(span, down).ToString(),
            Book.From(server.Counts, attempts));
    }
}

/// <summary>
/// Compares the client's count of attempts with the server's count of requests. The server received an answered attempt exactly once, and did not receive a
/// refused attempt. For a broken attempt the client cannot know whether the server received it, so both counts are valid.
/// </summary>
internal sealed record Book(int Answered, int Good, int Refused, int Broken, long Received, long AnsweredWhole, long InFlight)
{
    public bool Agrees =>
        Within(Received, Answered) && Within(AnsweredWhole, Good) && InFlight == 0;

    public static Book From(FakeCounts counts, IReadOnlyList<Attempt> attempts) => new(
        attempts.Count(a => a.Outcome == AttemptOutcome.Answered),
        attempts.Count(a => a.IsGood),
        attempts.Count(a => a.Outcome == AttemptOutcome.Refused),
        attempts.Count(a => a.Outcome is AttemptOutcome.Broken or AttemptOutcome.Open),
        counts.Received, counts.AnsweredWhole, counts.InFlight);

    private bool Within(long server, int client) => server >= client && server <= client + Broken;
}
