using System.Globalization;
using HaKit.Batch.Stores;

namespace HaKit.Batch;

/// <summary>Describes the progress of a batch. Immutable.</summary>
public readonly record struct BatchProgress
{
    /// <summary>Gets the counts over all runs and workers.</summary>
    public BatchCounts Counts { get; init; }

    /// <summary>Gets how many items got an outcome in this process, per second, over the last 30 s.</summary>
    public double PerSecond { get; init; }

    /// <summary>Gets the estimated time for the remaining items, at the recent rate of all workers. Null while no item gets an outcome.</summary>
    public TimeSpan? Left { get; init; }

    /// <summary>Gets the number of calls in flight in this process.</summary>
    public int Calls { get; init; }

    /// <summary>Gets the length of the current outage: how long no item has got an outcome because no endpoint can serve. Null if there is no outage.</summary>
    public TimeSpan? OutageFor { get; init; }

    /// <summary>Gets the symbol with which costs are shown.</summary>
    public string? Currency { get; init; }

    /// <summary>Gets whether prices are known.</summary>
    public bool HasPrices { get; init; }

    /// <summary>Gets the share of items that have an outcome, 0 to 1. It is 1 only if all items have an outcome.</summary>
    public double Share => Counts.Total == 0 ? 0 : (double)Counts.Finished / Counts.Total;

    /// <summary>Returns the progress in one line: <c>41.2 %, 38/s, 3 failed, 14 min left, 12.40 $</c>.</summary>
    public override string ToString()
    {
        var parts = new List<string>
        {
            // Rounded down, so that 100.0 % is shown only if nothing is left.
            string.Create(CultureInfo.InvariantCulture, $"{Math.Floor(Share * 1000) / 10:0.0} %"),
            string.Create(CultureInfo.InvariantCulture, $"{(PerSecond >= 10 ? Math.Round(PerSecond) : Math.Round(PerSecond, 1)):0.#}/s"),
        };
        if (Counts.Failed > 0)
            parts.Add(string.Create(CultureInfo.InvariantCulture, $"{Counts.Failed} failed"));
        if (Counts.Unknown > 0)
            parts.Add(string.Create(CultureInfo.InvariantCulture, $"{Counts.Unknown} unknown"));
        if (OutageFor is { } outage)
            parts.Add($"no endpoint has served for {Text(outage)}");
        else if (Counts.Finished < Counts.Total)
            parts.Add(Left is { } left ? $"{Text(left)} left" : "time left unknown");
        if (HasPrices)
            parts.Add(string.Create(CultureInfo.InvariantCulture, $"{Counts.Spent:0.00} {Currency}").TrimEnd());
        return string.Join(", ", parts);
    }

    internal static string Text(TimeSpan time) => time.TotalSeconds switch
    {
        < 90 => string.Create(CultureInfo.InvariantCulture, $"{Math.Ceiling(time.TotalSeconds):0} s"),
        < 90 * 60 => string.Create(CultureInfo.InvariantCulture, $"{Math.Ceiling(time.TotalMinutes):0} min"),
        < 48 * 3600 => string.Create(CultureInfo.InvariantCulture, $"{time.TotalHours:0.0} h"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{time.TotalDays:0.0} days"),
    };
}
