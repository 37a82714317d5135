namespace HaKit.Tool.WhatIf;

/// <summary>The predicted effect of other settings on a recording. Shares are 0 to 1.</summary>
internal sealed record Forecast
{
    /// <summary>The most by which the two bounds may differ for the recording to say anything: one percentage point.</summary>
    public const double WidestKnown = 0.01;

    // The quantile of the normal distribution for an interval with 90 % confidence.
    private const double Z = 1.6449;

    /// <summary>The availability, in the middle between the bounds.</summary>
    public required double Availability { get; init; }

    public required double Low { get; init; }

    public required double High { get; init; }

    /// <summary>The availability if every endpoint was down while nothing was recorded of it, and if it was up.</summary>
    public required double IfDown { get; init; }

    public required double IfUp { get; init; }

    /// <summary>The figures of both bounds.</summary>
    public required PoolFigures Down { get; init; }

    public required PoolFigures Up { get; init; }

    /// <summary>The share of the attempts that were answered by an assumption.</summary>
    public required double AssumedShare { get; init; }

    /// <summary>Each endpoint in the bound in which more was assumed.</summary>
    public required IReadOnlyList<PlayedEndpointFigures> Endpoints { get; init; }

    public bool IsKnown => Math.Abs(IfUp - IfDown) <= WidestKnown;

    /// <summary>Runs the calls through a pool of other settings, several times in both bounds.</summary>
    /// <param name="world">The observations of the recording.</param>
    /// <param name="options">Creates new options for each run.</param>
    /// <param name="runs">Runs in each bound; at least 2.</param>
    /// <param name="progress">Is called with the completed share.</param>
    public static Forecast Of(RecordedWorld world, Func<EndpointPoolOptions> options, int runs = 3, Action<double>? progress = null)
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
        // Three parts: what the real run would have drawn, what the runs drew, and what the recording itself drew, from which all of them are made.
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

    // The variance of the share of lost calls by chance alone: the same calls are in all runs, so a call that all of them lose, or none, adds nothing. Calls that come
    // together are lost together, so the variance is that of groups of calls.
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
