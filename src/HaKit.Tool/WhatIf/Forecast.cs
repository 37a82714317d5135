namespace HaKit.Tool.WhatIf;

/// <summary>The predicted effect of other settings on a recording. Shares are 0 to 1.</summary>
internal sealed record Forecast
{
    /// <summary>The largest distance between the two bounds for which the recording allows a prediction: one percentage point.</summary>
    public const double WidestKnown = 0.01;

    // The quantile of the normal distribution for an interval with 90 % confidence.
    private const double Z = 1.6449;

    /// <summary>Gets the availability in the middle between the bounds.</summary>
    public required double Availability { get; init; }

    public required double Low { get; init; }

    public required double High { get; init; }

    /// <summary>Gets the availability under both assumptions: every endpoint was down, or was up, while nothing was recorded of it.</summary>
    public required double IfDown { get; init; }

    public required double IfUp { get; init; }

    /// <summary>Gets the figures of both bounds.</summary>
    public required PoolFigures Down { get; init; }

    public required PoolFigures Up { get; init; }

    /// <summary>Gets the share of the attempts whose answers are assumptions.</summary>
    public required double AssumedShare { get; init; }

    /// <summary>Gets the figures of each endpoint in the bound with more assumptions.</summary>
    public required IReadOnlyList<PlayedEndpointFigures> Endpoints { get; init; }

    public bool IsKnown => Math.Abs(IfUp - IfDown) <= WidestKnown;

    /// <summary>Runs the calls several times, under both assumptions, through a pool with other settings.</summary>
    /// <param name="world">The observations of the recording.</param>
    /// <param name="options">Creates new options for each run.</param>
    /// <param name="runs">The number of runs for each bound; at least 2.</param>
    /// <param name="progress">Is called with the completed share.</param>
    public static Forecast FromWorld(RecordedWorld world, Func<EndpointPoolOptions> options, int runs = 3, Action<double>? progress = null)
    {
        var done = 0;
        PlayedResult[] Play(Unknown unknown) => [.. Enumerable.Range(1, runs).Select(seed =>
        {
            var result = PlayedRun.Run(world, options(), unknown, seed, share => progress?.Invoke((done + share) / (2 * runs)));
            progress?.Invoke((double)++done / (2 * runs));
            return result;
        })];
        var (down, up) = (Play(Unknown.IsDown), Play(Unknown.IsUp));
        var (ifDown, ifUp) = (Mean(down), Mean(up));
        var more = down[0].AssumedShare > up[0].AssumedShare ? down[0] : up[0];
        // The variance has three parts: the random choices of the real run, of the simulated runs, and of the recording, on which all of them are based.
        var spread = Z * Math.Sqrt(Math.Max(Variance(world, down), Variance(world, up)) * (2 + 1.0 / runs));
        return new Forecast
        {
            Availability = (ifDown + ifUp) / 2,
            Low = Math.Max(0, Math.Min(ifDown, ifUp) - spread),
            High = Math.Min(1, Math.Max(ifDown, ifUp) + spread),
            IfDown = ifDown,
            IfUp = ifUp,
            Down = down[0].Figures,
            Up = up[0].Figures,
            AssumedShare = more.AssumedShare,
            Endpoints = more.Endpoints,
        };
    }

    private static double Mean(PlayedResult[] runs) => runs.Average(static r => r.Figures.Availability);

    // The variance of the share of lost calls by chance alone. All runs contain the same calls, so a call that all runs lose, or that no run loses, adds
    // nothing. Calls that arrive together are lost together, so the variance is calculated over groups of calls.
    private static double Variance(RecordedWorld world, PlayedResult[] runs)
    {
        const int group = 50;
        var (sum, counted) = (0.0, 0L);
        for (var from = 0; from < world.Calls.Count; from += group)
        {
            double total = 0, squares = 0;
            foreach (var run in runs)
            {
                var lost = 0;
                for (var i = from; i < Math.Min(from + group, world.Calls.Count); i++)
                    lost += run.IsLost[i] && world.Calls[i].Counts ? 1 : 0;
                (total, squares) = (total + lost, squares + (double)lost * lost);
            }
            sum += (squares - total * total / runs.Length) / (runs.Length - 1);
        }
        foreach (var call in world.Calls)
            counted += call.Counts ? 1 : 0;
        return counted == 0 ? 0 : sum / ((double)counted * counted);
    }
}
