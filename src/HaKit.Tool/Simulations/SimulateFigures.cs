using HaKit.Testing;

namespace HaKit.Tool.Simulations;

/// <summary>The results of a simulation. Shares are 0 to 1, times in seconds.</summary>
internal sealed record SimulateFigures
{
    public required DateTimeOffset From { get; init; }
    public required double Days { get; init; }
    public required int Seed { get; init; }
    public required IReadOnlyList<ServiceFigures> Services { get; init; }

    /// <summary>The share of the time when no service was up: no pool of them can be unavailable for less, but for the calls that wait it out.</summary>
    public required double LimitUnavailability { get; init; }
    public required RunFigures Scored { get; init; }

    /// <summary>Impact 1 as errors in three of ten answers.</summary>
    public required RunFigures MinorAsErrors { get; init; }

    /// <summary>
    /// The lost calls over the calls that came while no service was up; null where none came then. Not the share of the time: calls cluster, so that a pool that loses
    /// exactly the calls that could not be served may lose twice the share of the time in which none was up.
    /// </summary>
    public double? Ratio => Scored.CameInVain > 0 ? (double)Scored.Lost / Scored.CameInVain : null;

    public bool IsGood => Ratio is { } ratio ? ratio <= SimulateCommand.MostRatio : Scored.Lost == 0;

    public static SimulateFigures FromRuns(World world, RunFigures scored, RunFigures minorAsErrors) => new()
    {
        From = world.History.From,
        Days = world.History.Length.TotalDays,
        Seed = world.Seed,
        Services = [.. world.History.Services.Select(s => ServiceFigures.From(s, world.History))],
        LimitUnavailability = world.History.AllDown().Sum(s => s.Length.TotalSeconds) / world.History.Length.TotalSeconds,
        Scored = scored,
        MinorAsErrors = minorAsErrors,
    };
}

/// <summary>One service by itself.</summary>
internal sealed record ServiceFigures(string Name, int Outages, double DownHours, double Unavailability)
{
    public static ServiceFigures From(string service, History history)
    {
        var down = history.SpansOf(service, static impact => impact >= 1);
        var hours = down.Sum(s => s.Length.TotalHours);
        return new(service, down.Count, hours, hours / history.Length.TotalHours);
    }
}

/// <summary>One run.</summary>
internal sealed record RunFigures
{
    public required long Calls { get; init; }
    public required long Lost { get; init; }

    /// <summary>Calls that came while no service was up.</summary>
    public required long CameInVain { get; init; }

    /// <summary>Gets the number of lost calls by reason.</summary>
    public required IReadOnlyDictionary<string, long> Failures { get; init; }
    public double Unavailability => Calls == 0 ? 0 : (double)Lost / Calls;
    public required double AttemptsPerCall { get; init; }
    public required double P50 { get; init; }
    public required double P99 { get; init; }
    public required double P9999 { get; init; }
    public required long Ejections { get; init; }
    public required long WastedTokens { get; init; }

    /// <summary>Medians over the faults for which it can be told.</summary>
    public required double? Detected { get; init; }
    public required double? FailedOver { get; init; }
    public required double? Recovered { get; init; }
    public required double WallSeconds { get; init; }

    public static RunFigures From(SimulationResult result, long cameInVain, TimeSpan took) => new()
    {
        Calls = result.Calls,
        Lost = result.Calls - result.Succeeded,
        CameInVain = cameInVain,
        Failures = result.Failures,
        AttemptsPerCall = result.AttemptsPerCall,
        P50 = result.Latency(0.5).TotalSeconds,
        P99 = result.Latency(0.99).TotalSeconds,
        P9999 = result.Latency(0.9999).TotalSeconds,
        Ejections = result.Ejections,
        WastedTokens = result.WastedTokens,
        Detected = Median(result.Faults.Select(f => f.Detected)),
        FailedOver = Median(result.Faults.Select(f => f.FailedOver)),
        Recovered = Median(result.Faults.Select(f => f.Recovered)),
        WallSeconds = took.TotalSeconds,
    };

    private static double? Median(IEnumerable<TimeSpan?> spans)
    {
        var known = spans.OfType<TimeSpan>().Order().ToArray();
        return known.Length == 0 ? null : known[known.Length / 2].TotalSeconds;
    }
}
