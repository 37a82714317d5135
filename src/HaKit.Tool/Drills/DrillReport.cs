namespace HaKit.Tool.Drills;

/// <summary>The figures of a drill. Times are in milliseconds unless the name says seconds; shares are 0 to 1.</summary>
internal sealed record DrillReport
{
    /// <summary>The largest accepted delay of the load generator, in milliseconds. With a larger delay, the figures are not valid for the target.</summary>
    public const double MostLag = 5;

    public required string Target { get; init; }
    public required double CallsPerSecond { get; init; }
    public required double StreamedShare { get; init; }
    public required double FaultSeconds { get; init; }
    public required double PatienceSeconds { get; init; }
    public required int Upstreams { get; init; }
    public required int Seed { get; init; }

    /// <summary>Gets the median time of a right answer without faults.</summary>
    public required double HealthyMedian { get; init; }

    /// <summary>Gets the delay with which the load generator started its calls: 99 % of the calls started no later.</summary>
    public required double LagP99 { get; init; }

    public required double LagLongest { get; init; }
    public required IReadOnlyList<FaultReport> Faults { get; init; }

    /// <summary>Gets whether the run is not valid, because the load generator was too late.</summary>
    public bool IsVoid => LagP99 > MostLag;

    public static DrillReport From(string target, DrillSettings settings, IReadOnlyList<DrillEpisode> episodes)
    {
        var lags = episodes.SelectMany(e => e.Before.Concat(e.Calls)).Select(c => c.Lag.TotalMilliseconds).Order().ToArray();
        var healthy = DrillFigures.HealthyMedian(episodes);
        return new DrillReport
        {
            Target = target,
            CallsPerSecond = settings.Rate,
            StreamedShare = settings.StreamedShare,
            FaultSeconds = settings.Length.TotalSeconds,
            PatienceSeconds = settings.Patience.TotalSeconds,
            Upstreams = settings.Ports.Count,
            Seed = settings.Seed,
            HealthyMedian = healthy.TotalMilliseconds,
            LagP99 = DrillFigures.Percentile(lags, 0.99) ?? 0,
            LagLongest = lags.Length == 0 ? 0 : lags[^1],
            Faults = [.. episodes.Select(e => DrillFigures.Compute(e, healthy, settings.Rate))],
        };
    }
}

/// <summary>The effect of one fault on the calls.</summary>
internal sealed record FaultReport
{
    public required string Name { get; init; }
    public required string Description { get; init; }

    /// <summary>Gets the number of calls from the start of the fault to the end of its episode.</summary>
    public required int Calls { get; init; }

    public required int Right { get; init; }

    /// <summary>Gets the share of right answers, with the bounds of its 95 % interval.</summary>
    public required double Success { get; init; }

    public required double SuccessLow { get; init; }
    public required double SuccessHigh { get; init; }

    /// <summary>Gets the number of calls that reported a failure.</summary>
    public required int Failed { get; init; }

    /// <summary>Gets the number of calls that reported success with a wrong answer or without an answer.</summary>
    public required int Wrong { get; init; }

    /// <summary>Gets the number of calls that reported success with an incomplete answer.</summary>
    public required int Half { get; init; }

    /// <summary>
    /// Gets the number of calls that met the fault: calls with an affected request. When upstreams refuse connections, they see no requests, so every call of
    /// that time counts.
    /// </summary>
    public required int Met { get; init; }

    /// <summary>Gets the time of the right calls that met the fault, minus the healthy median; null when there are none.</summary>
    public required double? AddedP50 { get; init; }

    public required double? AddedP99 { get; init; }
    public required double? AddedLongest { get; init; }

    /// <summary>Gets the time from the start of the fault until 99 % of the calls of each second are right; null when that did not happen.</summary>
    public required double? WellAgainSeconds { get; init; }

    /// <summary>Gets the average number of requests at the upstreams per call. Refused connections are not counted.</summary>
    public required double Amplification { get; init; }

    /// <summary>
    /// Gets the number of whole answers that the upstreams made in addition to one answer for each right call. These answers are billed but not needed.
    /// </summary>
    public required long Duplicates { get; init; }

    /// <summary>Gets the number of requests that were sent to an upstream earlier than its refusal allowed.</summary>
    public required int EarlySends { get; init; }

    /// <summary>Gets the error messages of the failed calls with their counts, the most frequent first.</summary>
    public required IReadOnlyDictionary<string, int> Why { get; init; }

    public required IReadOnlyList<TimelineBin> Timeline { get; init; }

    /// <summary>Gets the duration of the fault, in seconds.</summary>
    public required double LastedSeconds { get; init; }
}

/// <summary>The calls of a tenth of a second of a fault.</summary>
/// <param name="At">The start of the interval, in seconds since the start of the fault.</param>
/// <param name="Calls">The number of calls that were due in the interval.</param>
/// <param name="Failed">The number of these calls that failed.</param>
/// <param name="Wrong">The number of these calls with a wrong or incomplete answer.</param>
/// <param name="Longest">The longest time of these calls.</param>
internal sealed record TimelineBin(double At, int Calls, int Failed, int Wrong, double Longest);
