namespace HaKit.Batch;

/// <summary>How a batch is run. Not thread-safe; read when the run begins.</summary>
public class BatchRunOptions
{
    /// <summary>Gets or sets what becomes of items whose stored result belongs to another request than the one that would be sent now. Default: the run is refused.</summary>
    public OnChanged OnChanged { get; set; }

    /// <summary>Gets or sets whether results of earlier runs are left out. Default false: they are returned first, so that what a crash cut between this library and yours is not lost.</summary>
    public bool OnlyNew { get; set; }

    /// <summary>Gets or sets whether items that failed in earlier runs are tried again. Default false.</summary>
    public bool RedoFailed { get; set; }

    /// <summary>Gets or sets how many items of the batch may fail before the run ends with <see cref="BatchStoppedException"/>. Default null: any number; at least 0.</summary>
    public long? MaxFailures { get; set; }

    /// <summary>Gets or sets the time after which no call is started. Default null: none.</summary>
    public DateTimeOffset? StopAt { get; set; }

    /// <summary>
    /// Gets or sets the most that the batch may cost over all its runs, in the currency of the endpoints' prices. No call starts when what was spent, the estimates of what is under way,
    /// and its own exceed it. Attempts that failed but may have been billed count. Default null: no limit; all endpoints need a price otherwise.
    /// </summary>
    public double? MaxCost { get; set; }

    /// <summary>
    /// Gets or sets whether an item's call may be made again when its outcome was lost. False: no retry after an ambiguous failure, no hedge, and an item that a crash cut
    /// between its call and its commit becomes <see cref="Stores.BatchItemState.Unknown"/>. Default true.
    /// </summary>
    public bool MayRepeat { get; set; } = true;

    /// <summary>Gets or sets the version of a callback, a part of the fingerprint: change it when the callback asks differently. Default null.</summary>
    public string? Version { get; set; }

    /// <summary>Gets or sets what is known of each call: where it may go, its deadline. Default: priority −1, behind interactive calls of the same pool.</summary>
    public RequestProfile Profile { get; set; } = new() { Priority = -1 };

    /// <summary>
    /// Gets or sets the most calls at once. Default null: as many as the endpoints' limits allow, and where they have none, as many as make the batch faster, found from the answers;
    /// at most 1,000. At least 1.
    /// </summary>
    public int? MaxConcurrency { get; set; }

    /// <summary>Gets or sets how often an item may fail while other items are served, before it is given up. Default 3; at least 1. Failures in an outage do not count.</summary>
    public int MaxTries { get; set; } = 3;

    /// <summary>Gets or sets the symbol that costs are shown with. Default <c>$</c>.</summary>
    public string Currency { get; set; } = "$";

    internal void Validate()
    {
        ArgumentNullException.ThrowIfNull(Profile);
        if (MaxFailures is { } failures)
            ArgumentOutOfRangeException.ThrowIfNegative(failures, nameof(MaxFailures));
        if (MaxConcurrency is { } concurrency)
            ArgumentOutOfRangeException.ThrowIfLessThan(concurrency, 1, nameof(MaxConcurrency));
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxTries, 1);
        if (MaxCost is { } cost && !(cost > 0))
            throw new ArgumentOutOfRangeException(nameof(MaxCost), cost, "More than 0 is needed, or nothing for no limit.");
    }
}
