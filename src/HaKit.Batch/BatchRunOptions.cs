using System.Globalization;

namespace HaKit.Batch;

/// <summary>Sets how a batch is run. Not thread-safe; the method that runs the batch takes a copy.</summary>
public class BatchRunOptions
{
    /// <summary>
    /// Gets or sets what happens to an item with a stored result if the request of the item has changed since. Default: the run ends with <see
    /// cref="BatchChangedException"/>.
    /// </summary>
    public OnChanged OnChanged { get; set; }

    /// <summary>
    /// Gets or sets whether results of earlier runs are left out. Default false: they are returned first. So your code gets a result again if the process
    /// crashed before your code had handled it.
    /// </summary>
    public bool OnlyNew { get; set; }

    /// <summary>Gets or sets whether items that failed in earlier runs are processed again. Default false.</summary>
    public bool RedoFailed { get; set; }

    /// <summary>
    /// Gets or sets how many items of the batch may fail before the run ends with <see cref="BatchStoppedException"/>. Default null: any number; at least 0.
    /// </summary>
    public long? MaxFailures { get; set; }

    /// <summary>Gets or sets the time after which no call is started. Default null: none.</summary>
    public DateTimeOffset? StopAt { get; set; }

    /// <summary>
    /// Gets or sets how much the batch may cost over all its runs, in the currency of the endpoints' prices. A call does not start if the sum of the spent
    /// amount, the estimates of the calls in flight and the call's own estimate exceeds the limit. Failed attempts that may have been billed count as spent. All
    /// endpoints need a price. Default null: no limit; a finite number above 0.
    /// </summary>
    public double? MaxCost { get; set; }

    /// <summary>
    /// Gets or sets whether an item's call may be repeated if its outcome was lost. If false, calls are not hedged and not retried after an ambiguous failure.
    /// If a worker crashes between the call of an item and the commit of its outcome, the item then becomes <see cref="Stores.BatchItemState.Unknown"/>. Default true.
    /// </summary>
    public bool MayRepeat { get; set; } = true;

    /// <summary>
    /// Gets or sets the version of a callback. Change it when the callback sends a different request; stored results then no longer match (<see
    /// cref="OnChanged"/>). Default null.
    /// </summary>
    public string? Version { get; set; }

    /// <summary>
    /// Gets or sets the profile of each call. It replaces the profile of the chat client or of the embedding generator. Default: priority −1, so that
    /// interactive calls of the same pool are served first.
    /// </summary>
    public RequestProfile Profile { get; set; } = new() { Priority = -1 };

    /// <summary>
    /// Gets or sets the maximum number of calls in flight. Default null: as many as the endpoints' limits allow. For endpoints without limits, the number is
    /// increased while this makes the batch faster, up to 1,000. At least 1.
    /// </summary>
    public int? MaxConcurrency { get; set; }

    /// <summary>
    /// Gets or sets the number of counted failures after which an item fails. A failure is counted only if the item has failed before, if another item's call has
    /// begun and was served since then, and if the failed call was allowed to wait in the pool. It is not counted if calls of other items fail at the same time. So
    /// the first failures of an item and failures in an outage are not counted. Default 3; at least 1.
    /// </summary>
    public int MaxTries { get; set; } = 3;

    /// <summary>
    /// Gets or sets how long the run goes on while no call is served. Then it ends with <see cref="BatchStoppedException"/>, and the next run continues.
    /// Default one day; null: no limit; at least 0.
    /// </summary>
    public TimeSpan? MaxOutage { get; set; } = TimeSpan.FromDays(1);

    /// <summary>Gets or sets the symbol with which costs are shown. Default <c>$</c>.</summary>
    public string Currency { get; set; } = "$";

    /// <summary>Creates a copy that later changes of this object do not affect.</summary>
    internal virtual BatchRunOptions Copy() => (BatchRunOptions)MemberwiseClone();

    internal void Validate()
    {
        if (Profile is null)
            throw new ArgumentNullException(nameof(Profile), "RunBatchAsync: Profile is null. Give a RequestProfile, or leave Profile at its default.");
        ThrowIf(MaxFailures < 0, nameof(MaxFailures), MaxFailures, "Give at least 0, or null for any number.");
        ThrowIf(MaxConcurrency < 1, nameof(MaxConcurrency), MaxConcurrency, "Give at least 1, or null for as many as the endpoints allow.");
        ThrowIf(MaxTries < 1, nameof(MaxTries), MaxTries, "Give at least 1.");
        ThrowIf(MaxOutage < TimeSpan.Zero, nameof(MaxOutage), MaxOutage?.TotalSeconds, "Give at least 0 s, or null for no limit.", " s");
        ThrowIf(MaxCost is { } cost && (!(cost > 0) || double.IsInfinity(cost)), nameof(MaxCost), MaxCost, "Give a finite number above 0, or null for no limit.");
    }

    /// <summary>Throws if an option is out of its range. The message names the option, its value and the remedy.</summary>
    internal static void ThrowIf(bool isWrong, string option, double? value, string remedy, string unit = "")
    {
        if (isWrong)
            throw new ArgumentOutOfRangeException(option, string.Create(CultureInfo.InvariantCulture, $"RunBatchAsync: {option} is {value}{unit}. {remedy}"));
    }
}
