using HaKit.Availability;

namespace HaKit.Continuity;

/// <summary>Holds the inputs that determine the interval of saves.</summary>
/// <param name="SaveTook">The duration of a save.</param>
/// <param name="MeanTimeToLoss">The mean time until the saved data is lost.</param>
/// <param name="SaveAvailability">The probability that enough destinations can be written.</param>
/// <param name="MaxAge">The objective: the maximum age of the newest snapshot. Null: no objective.</param>
internal readonly record struct SaveIntervalInputs(TimeSpan SaveTook, TimeSpan MeanTimeToLoss, AvailabilityRatio SaveAvailability, TimeSpan? MaxAge);

/// <summary>Computes the interval of saves. Pure.</summary>
internal static class SaveInterval
{
    public static readonly TimeSpan Shortest = TimeSpan.FromMinutes(1);
    public static readonly TimeSpan Longest = TimeSpan.FromHours(24);

    /// <summary>
    /// Computes Young's interval √(2·cost·MTBF), or a shorter interval if the objective requires it: the maximum age of a snapshot is the interval plus the
    /// time of one save. If some saves find too few destinations, the time between good snapshots is longer than the interval. So both intervals are multiplied
    /// by the probability that a save succeeds.
    /// </summary>
    public static TimeSpan Compute(SaveIntervalInputs inputs)
    {
        var cost = TimeSpan.FromSeconds(Math.Max(1, inputs.SaveTook.TotalSeconds));
        var seconds = Backup.YoungInterval(cost.TotalSeconds, inputs.MeanTimeToLoss.TotalSeconds);
        if (inputs.MaxAge is { } most)
        {
            seconds = Math.Min(seconds, (most - cost).TotalSeconds);
        }
        return TimeSpan.FromSeconds(Math.Clamp(seconds * inputs.SaveAvailability.Value, Shortest.TotalSeconds, Longest.TotalSeconds));
    }

    /// <summary>
    /// Varies the interval by ± 10 %, so that machines that were started together do not always save together. If the newest snapshot would become older than
    /// the objective between two saves, the varied interval is shortened, but to no less than 90 % of the interval.
    /// </summary>
    /// <param name="interval">The interval.</param>
    /// <param name="maxAge">The objective: the maximum age of the newest snapshot. Null: no objective.</param>
    /// <param name="saveTook">The duration of a save.</param>
    /// <param name="dice">A random number from 0 to 1.</param>
    public static TimeSpan Vary(TimeSpan interval, TimeSpan? maxAge, TimeSpan saveTook, double dice)
    {
        var (shortest, varied) = (0.9 * interval, (0.9 + 0.2 * dice) * interval);
        if (maxAge - saveTook is not { } longest || varied <= longest)
            return varied;
        return longest > shortest ? longest : shortest;
    }

    /// <summary>
    /// Computes the probability that at least the given number of destinations can be used, from observations. A destination without observations counts as
    /// up.
    /// </summary>
    public static AvailabilityRatio Observed(AvailabilityReport report, int copies)
    {
        var parts = report.Endpoints.Select(static e => e.Observed ?? AvailabilityRatio.Always).ToArray();
        return AvailabilityRatio.KofN(Math.Min(copies, parts.Length), parts);
    }
}
