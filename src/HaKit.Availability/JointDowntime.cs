namespace HaKit.Availability;

/// <summary>The times in which endpoints were down at the same time, in the period for which all outages are known. Immutable and thread-safe.</summary>
public sealed record JointDowntime
{
    private JointDowntime(TimeSpan observed, TimeSpan allDown, TimeSpan tooFewUp, double? correlation, double? beta)
    {
        Observed = observed;
        AllDown = allDown;
        TooFewUp = tooFewUp;
        Correlation = correlation;
        Beta = beta;
    }

    /// <summary>Gets the downtime of a period of which nothing is known.</summary>
    internal static JointDowntime Unknown { get; } = new(TimeSpan.Zero, TimeSpan.Zero, TimeSpan.Zero, null, null);

    /// <summary>Gets the length of the examined period.</summary>
    public TimeSpan Observed { get; }

    /// <summary>Gets the part of the period in which all endpoints were down at the same time.</summary>
    public TimeSpan AllDown { get; }

    /// <summary>Gets the part of the period in which fewer endpoints were up than required.</summary>
    public TimeSpan TooFewUp { get; }

    /// <summary>
    /// Gets the mean correlation of the pairs' down states, (J − Q₁Q₂)/√(Q₁(1−Q₁)Q₂(1−Q₂)), where J is the share of time in which both are down;
    /// null if fewer than two endpoints were ever down.
    /// </summary>
    public double? Correlation { get; }

    /// <summary>
    /// Gets β of the common-cause model, estimated from the pairs. If a common cause has probability c and the unavailability of each endpoint stays Q, then c
    /// = (J − Q₁Q₂)/(1 − Q₁ − Q₂ + J), and β = Σc/Σmin(Q₁, Q₂), limited to 0 to 1. Null if fewer than two endpoints were ever down.
    /// </summary>
    public double? Beta { get; }

    /// <summary>Compares histories with each other.</summary>
    /// <param name="histories">The histories, on the same clock; at least one.</param>
    /// <param name="required">The number of endpoints that must be up, from 1 to the number of histories. Default 1.</param>
    /// <exception cref="ArgumentNullException"><paramref name="histories"/> is null.</exception>
    /// <exception cref="ArgumentException">There is no history.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="required"/> is outside its range.</exception>
    public static JointDowntime Measure(IReadOnlyList<UptimeSummary> histories, int required = 1)
    {
        ArgumentNullException.ThrowIfNull(histories);
        if (histories.Count == 0)
            throw new ArgumentException("There must be at least one history.", nameof(histories));
        Guard.Between(1, histories.Count, required);
        TimeSpan from = TimeSpan.MinValue, to = TimeSpan.MaxValue;
        foreach (var history in histories)
        {
            if (history.Remembered > from)
                from = history.Remembered;
            if (history.Now < to)
                to = history.Now;
        }

        if (to <= from)
            return Unknown;
        var n = histories.Count;
        var pairs = new long[n, n];
        var (allDown, tooFewUp) = Sweep(histories, from, to, required, pairs);
        var (correlation, beta) = Pairs(pairs, (to - from).Ticks);
        return new JointDowntime(to - from, new TimeSpan(allDown), new TimeSpan(tooFewUp), correlation, beta);
    }

    /// <summary>Processes all transitions in order. pairs[i, j] sums the time that i and j are both down, pairs[i, i] the time that i is down.</summary>
    private static (long AllDown, long TooFewUp) Sweep(IReadOnlyList<UptimeSummary> histories, TimeSpan from, TimeSpan to, int required, long[,] pairs)
    {
        var n = histories.Count;
        var events = new List<(long Time, int Index, bool Down)>();
        for (var i = 0; i < n; i++)
        {
            foreach (var outage in histories[i].Outages)
            {
                if (outage.End <= from || outage.Start >= to)
                    continue;
                events.Add((Math.Max(outage.Start.Ticks, from.Ticks), i, true));
                events.Add((Math.Min(outage.End.Ticks, to.Ticks), i, false));
            }
        }

        // At equal times, a down transition comes before an up transition. Otherwise an outage with the length 0 would never end.
        events.Sort((x, y) => x.Time != y.Time ? x.Time.CompareTo(y.Time) : y.Down.CompareTo(x.Down));
        var down = new List<int>(n);
        long allDown = 0, tooFewUp = 0, last = from.Ticks;
        foreach (var (time, index, goesDown) in events)
        {
            var span = time - last;
            last = time;
            if (down.Count == n)
                allDown += span;
            if (n - down.Count < required)
                tooFewUp += span;
            foreach (var i in down)
            {
                foreach (var j in down)
                    pairs[i, j] += span;
            }

            if (goesDown)
                down.Add(index);
            else
                down.Remove(index);
        }

        return (allDown, tooFewUp);
    }

    private static (double? Correlation, double? Beta) Pairs(long[,] pairs, double time)
    {
        double correlations = 0, causes = 0, least = 0;
        var count = 0;
        for (var i = 0; i < pairs.GetLength(0); i++)
        {
            for (var j = 0; j < i; j++)
            {
                double q1 = pairs[i, i] / time, q2 = pairs[j, j] / time, both = pairs[i, j] / time;
                if (q1 == 0 || q2 == 0)
                    continue;
                least += Math.Min(q1, q2);
                var excess = both - q1 * q2;
                var bothUp = 1 - q1 - q2 + both;
                causes += bothUp > 0 ? excess / bothUp : Math.Min(q1, q2);
                if (q1 >= 1 || q2 >= 1)
                    continue;
                correlations += excess / Math.Sqrt(q1 * (1 - q1) * q2 * (1 - q2));
                count++;
            }
        }

        return (count > 0 ? correlations / count : null, least > 0 ? Math.Clamp(causes / least, 0, 1) : null);
    }
}
