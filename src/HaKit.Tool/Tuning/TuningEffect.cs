namespace HaKit.Tool.Tuning;

/// <summary>The results of one part of the history with some settings. Losses are shares of the calls, 0 to 1; times are in seconds.</summary>
/// <param name="Calls">The number of calls.</param>
/// <param name="LostIfDown">The share of lost calls if every endpoint is assumed to be down at times when its state is not known.</param>
/// <param name="LostIfUp">
/// The share of lost calls if every endpoint is assumed to be up at times when its state is not known. Equal to the other share if the state is always known.
/// </param>
/// <param name="P99">The 99th percentile of the times of the served calls.</param>
/// <param name="AttemptsPerCall">The average number of attempts per call.</param>
internal sealed record PartFigures(long Calls, double LostIfDown, double LostIfUp, double P99, double AttemptsPerCall);

/// <summary>A mean difference and its interval with 90 % confidence.</summary>
internal readonly record struct Difference(double Mean, double Low, double High)
{
    // Student's t for a probability of 0.95, by degrees of freedom from 1 on.
    private static readonly double[] s_t = [6.314, 2.920, 2.353, 2.132, 2.015, 1.943, 1.895, 1.860, 1.833, 1.812, 1.796, 1.782, 1.771, 1.761, 1.753];

    /// <summary>Calculates the mean of paired differences. With fewer than two pairs the interval is unknown.</summary>
    public static Difference Between(IReadOnlyList<double> before, IReadOnlyList<double> after)
    {
        var (n, sum, squares) = (before.Count, 0.0, 0.0);
        for (var i = 0; i < n; i++)
            sum += after[i] - before[i];
        var mean = sum / n;
        if (n < 2)
            return new Difference(mean, double.NegativeInfinity, double.PositiveInfinity);
        for (var i = 0; i < n; i++)
            squares += (after[i] - before[i] - mean) * (after[i] - before[i] - mean);
        var spread = s_t[Math.Min(n - 1, s_t.Length) - 1] * Math.Sqrt(squares / (n - 1) / n);
        return new Difference(mean, mean - spread, mean + spread);
    }

    /// <summary>Returns the smallest interval that contains both.</summary>
    public Difference Around(Difference other) => new((Mean + other.Mean) / 2, Math.Min(Low, other.Low), Math.Max(High, other.High));
}

/// <summary>The effect of a change of settings, measured over pairs of the same part with and without the change. Pure.</summary>
internal sealed record TuningEffect(Difference Lost, Difference P99, Difference AttemptsPerCall, bool IsKnown)
{
    /// <summary>The largest distance between the bounds of an effect that counts as known: one percentage point.</summary>
    public const double WidestKnown = 0.01;

    // A smaller change of the times or of the attempts counts as no change. A change may cost as many additional attempts as hedging may cost.
    private const double LeastTime = 0.02, LeastAttempts = 0.01, MostAttempts = 0.05;

    public double P99Before { get; private init; }

    public double AttemptsBefore { get; private init; }

    /// <summary>
    /// Gets whether the change is an improvement: fewer calls are lost; or no more calls are lost, and answers are faster or attempts are fewer, and neither
    /// is worse.
    /// </summary>
    public bool IsImprovement => IsKnown && Lost.Mean <= 0 && P99.Mean <= LeastTime * P99Before && AttemptsPerCall.Mean <= MostAttempts * AttemptsBefore
        && (Lost.High < 0 || Lost.High <= 0 && IsCheaper);

    private bool IsCheaper => (P99.High < 0 && P99.Mean < -LeastTime * P99Before && AttemptsPerCall.Mean <= MostAttempts * AttemptsBefore)
        || (AttemptsPerCall.High < 0 && AttemptsPerCall.Mean < -LeastAttempts * AttemptsBefore);

    public static TuningEffect Between(IReadOnlyList<PartFigures> before, IReadOnlyList<PartFigures> after)
    {
        var ifDown = Difference.Between(Read(before, static p => p.LostIfDown), Read(after, static p => p.LostIfDown));
        var ifUp = Difference.Between(Read(before, static p => p.LostIfUp), Read(after, static p => p.LostIfUp));
        return new TuningEffect(
            ifDown.Around(ifUp),
            Difference.Between(Read(before, static p => p.P99), Read(after, static p => p.P99)),
            Difference.Between(Read(before, static p => p.AttemptsPerCall), Read(after, static p => p.AttemptsPerCall)),
            Math.Abs(ifDown.Mean - ifUp.Mean) <= WidestKnown)
        {
            P99Before = before.Average(static p => p.P99),
            AttemptsBefore = before.Average(static p => p.AttemptsPerCall),
        };
    }

    /// <summary>Compares one part. A negative result means better, a positive result worse, 0 equal.</summary>
    public static int Compare(PartFigures before, PartFigures after)
    {
        var lost = Math.Round(((after.LostIfDown + after.LostIfUp) - (before.LostIfDown + before.LostIfUp)) / 2 * before.Calls);
        if (lost != 0)
            return Math.Sign(lost);
        if (after.P99 > before.P99 * (1 + LeastTime))
            return 1;
        var isFaster = after.P99 < before.P99 * (1 - LeastTime);
        var isCheaper = after.AttemptsPerCall < before.AttemptsPerCall * (1 - LeastAttempts);
        return isFaster || isCheaper ? -1 : 0;
    }

    private static double[] Read(IReadOnlyList<PartFigures> parts, Func<PartFigures, double> read) => [.. parts.Select(read)];
}
