using HaKit.Testing;

namespace HaKit.Tool.Simulations;

/// <summary>The results of a simulation. Shares are 0 to 1, times in seconds.</summary>
internal sealed record SimulateFigures
{
    public required DateTimeOffset From { get; init; }
    public required double Days { get; init; }
    public required int Seed { get; init; }
    public required IReadOnlyList<ServiceFigures> Services { get; init; }

    /// <summary>
    /// Gets the share of the time when no service was up. A pool of these services is unavailable for at least this share, except for calls that wait until a
    /// service recovers.
    /// </summary>
    public required double LimitUnavailability { get; init; }
    public required RunFigures Scored { get; init; }

    /// <summary>Gets the figures of a second run, in which an incident of impact 1 is simulated as errors in three of ten answers. They are not scored.</summary>
    public required RunFigures MinorAsErrors { get; init; }

    /// <summary>
    /// Gets the number of lost calls divided by the number of calls that arrived while no service was up; null when no call arrived then. This is not a share
    /// of the time, because calls come in groups. For example, if no service was up for 1 % of the time, a pool may lose 2 % of its calls although it loses only
    /// calls that no endpoint could serve.
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

/// <summary>The figures of one service.</summary>
internal sealed record ServiceFigures(string Name, int Outages, double DownHours, double Unavailability)
{
    public static ServiceFigures From(string service, History history)
    {
        var down = history.SpansOf(service, static impact => impact >= 1);
        var hours = down.Sum(s => s.Length.TotalHours);
        return new(service, down.Count, hours, hours / history.Length.TotalHours);
    }
}

/// <summary>The figures of one run.</summary>
internal sealed record RunFigures
{
    public required long Calls { get; init; }
    public required long Lost { get; init; }

    /// <summary>Gets the number of calls that arrived while no service was up.</summary>
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

    /// <summary>Gets the medians over the faults for which the times are known.</summary>
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
