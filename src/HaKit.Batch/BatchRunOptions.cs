namespace HaKit.Batch;

/// <summary>Sets how a batch is run. Not thread-safe; read when the run begins.</summary>
public class BatchRunOptions
{
    /// <summary>
    /// Gets or sets what happens to items whose stored result belongs to another request than the one that would be sent now. Default: the run is refused.
    /// </summary>
    public OnChanged OnChanged { get; set; }

    /// <summary>
    /// Gets or sets whether results of earlier runs are left out. Default false: they are returned first, so that no result is lost if a crash came before
    /// your code had it.
    /// </summary>
    public bool OnlyNew { get; set; }

    /// <summary>Gets or sets whether items that failed in earlier runs are tried again. Default false.</summary>
    public bool RedoFailed { get; set; }

    /// <summary>
    /// Gets or sets how many items of the batch may fail before the run ends with <see cref="BatchStoppedException"/>. Default null: any number; at least 0.
    /// </summary>
    public long? MaxFailures { get; set; }

    /// <summary>Gets or sets the time after which no call is started. Default null: none.</summary>
    public DateTimeOffset? StopAt { get; set; }

    /// <summary>
    /// Gets or sets how much the batch may cost over all its runs, in the currency of the endpoints' prices. A call does not start if the amount spent, the
    /// estimates of calls in flight and its own estimate together exceed the limit. Failed attempts that may have been billed count. All endpoints need a
    /// price. Default null: no limit.
    /// </summary>
    public double? MaxCost { get; set; }

    /// <summary>
    /// Gets or sets whether an item's call may be repeated if its outcome was lost. False: no retry after an ambiguous failure, no hedge, and an item whose
    /// worker crashed between its call and its commit becomes <see cref="Stores.BatchItemState.Unknown"/>. Default true.
    /// </summary>
    public bool MayRepeat { get; set; } = true;

    /// <summary>
    /// Gets or sets the version of a callback, a part of the fingerprint. Change it when the callback sends a different request. Default null.
    /// </summary>
    public string? Version { get; set; }

    /// <summary>Gets or sets the profile of each call. Default: priority −1, behind interactive calls of the same pool.</summary>
    public RequestProfile Profile { get; set; } = new() { Priority = -1 };

    /// <summary>
    /// Gets or sets the maximum number of calls at once. Default null: as many as the endpoints' limits allow; for endpoints without limits, as many as make
    /// the batch faster, learned from the answers, at most 1,000. At least 1.
    /// </summary>
    public int? MaxConcurrency { get; set; }

    /// <summary>
    /// Gets or sets how often an item may fail, while other items are served, before it is given up. Failures in an outage do not count. Default 3; at least
    /// 1.
    /// </summary>
    public int MaxTries { get; set; } = 3;

    /// <summary>Gets or sets the symbol with which costs are shown. Default <c>$</c>.</summary>
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
