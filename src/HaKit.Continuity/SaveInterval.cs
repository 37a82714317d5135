using HaKit.Availability;

namespace HaKit.Continuity;

/// <summary>What decides how often the schedule saves.</summary>
/// <param name="SaveTook">How long a save takes.</param>
/// <param name="MeanTimeToLoss">How long it takes in the mean until what is saved is lost.</param>
/// <param name="SaveAvailability">The chance that enough destinations can be written.</param>
/// <param name="MaxAge">The objective: how much work may be lost; null for none.</param>
internal readonly record struct SaveIntervalInputs(TimeSpan SaveTook, TimeSpan MeanTimeToLoss, AvailabilityRatio SaveAvailability, TimeSpan? MaxAge);

/// <summary>How often to save. Pure.</summary>
internal static class SaveInterval
{
    public static readonly TimeSpan Shortest = TimeSpan.FromMinutes(1);
    public static readonly TimeSpan Longest = TimeSpan.FromHours(24);

    /// <summary>
    /// Young's interval √(2·cost·MTBF), or what the objective leaves if that is less: the most that is lost is the interval and the time of one save. Where a share of
    /// the saves finds too few destinations, good snapshots are further apart than saves, so that both are multiplied by the chance that a save succeeds.
    /// </summary>
    public static TimeSpan Of(SaveIntervalInputs inputs)
    {
        var cost = TimeSpan.FromSeconds(Math.Max(1, inputs.SaveTook.TotalSeconds));
        var seconds = Backup.YoungInterval(cost.TotalSeconds, inputs.MeanTimeToLoss.TotalSeconds);
        if (inputs.MaxAge is { } most)
        {
            seconds = Math.Min(seconds, (most - cost).TotalSeconds);
        }
        return TimeSpan.FromSeconds(Math.Clamp(seconds * inputs.SaveAvailability.Value, Shortest.TotalSeconds, Longest.TotalSeconds));
    }

    /// <summary>The chance that at least so many of the pool's destinations can be used, from what was observed; one that nothing is known of counts as up.</summary>
    public static AvailabilityRatio Observed(AvailabilityReport report, int copies)
    {
        var parts = report.Endpoints.Select(static e => e.Observed ?? AvailabilityRatio.Always).ToArray();
        return AvailabilityRatio.KofN(Math.Min(copies, parts.Length), parts);
    }
}
