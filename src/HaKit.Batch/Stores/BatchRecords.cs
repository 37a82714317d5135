namespace HaKit.Batch.Stores;

/// <summary>Represents an item that is added to a store. Immutable.</summary>
/// <param name="Id">The item's id, unique in the batch.</param>
/// <param name="Payload">The item's input, as the application wrote it.</param>
public sealed record BatchInput(string Id, ReadOnlyMemory<byte> Payload);

/// <summary>Holds the result of <see cref="IBatchStore.AddAsync"/>.</summary>
/// <param name="Added">The number of new items.</param>
/// <param name="Changed">The number of items that the store already had with another input.</param>
/// <param name="FirstChanged">The id of the first of the changed items. Null if there are none.</param>
public readonly record struct BatchAdded(int Added, int Changed, string? FirstChanged);

/// <summary>Represents a worker's claim of one item. Immutable.</summary>
/// <param name="Ordinal">The item's number in the store.</param>
/// <param name="Id">The item's id.</param>
/// <param name="Input">The item's input.</param>
/// <param name="Fence">A number that increases with each claim of the item. An outcome with an older number is refused.</param>
public sealed record BatchClaim(long Ordinal, string Id, ReadOnlyMemory<byte> Input, long Fence);

/// <summary>Describes an item's call before the call is made.</summary>
/// <param name="Estimate">The estimated cost, in the pool's currency; 0 if prices are not known.</param>
/// <param name="MaxCost">The maximum cost of the batch over all its runs. Null: no limit.</param>
/// <param name="MayRepeat">True if the call may be repeated when its outcome was lost.</param>
public readonly record struct BatchStart(double Estimate, double? MaxCost, bool MayRepeat);

/// <summary>The state of an item.</summary>
public enum BatchItemState : byte
{
    /// <summary>The item has no outcome yet.</summary>
    Pending,

    /// <summary>A worker has claimed the item.</summary>
    UnderWay,

    /// <summary>The item has a result.</summary>
    Succeeded,

    /// <summary>The item failed because of its own request, for example because of a content filter.</summary>
    Failed,

    /// <summary>The item's call must not be repeated, and its outcome was lost with the process that made the call.</summary>
    Unknown,
}

/// <summary>Represents the outcome of one item. Immutable.</summary>
public sealed record BatchOutcome
{
    /// <summary>Gets how the item ended: succeeded, failed or unknown.</summary>
    public required BatchItemState State { get; init; }

    /// <summary>Gets the fingerprint of the request as it was sent.</summary>
    public required RequestFingerprint Request { get; init; }

    /// <summary>Gets the result, as the application wrote it. Empty unless the item succeeded.</summary>
    public ReadOnlyMemory<byte> Result { get; init; }

    /// <summary>Gets the endpoint that served the item. Null if no endpoint served it.</summary>
    public string? Endpoint { get; init; }

    /// <summary>Gets the reason why the item failed. It never contains a prompt.</summary>
    public string? Error { get; init; }

    /// <summary>Gets the number of attempts of the item's calls, as far as it is known.</summary>
    public int Attempts { get; init; }

    /// <summary>Gets the cost of all attempts, in the pool's currency; 0 if prices are not known.</summary>
    public double Cost { get; init; }

    /// <summary>Gets the tokens of the prompt; 0 when they were not reported.</summary>
    public long InputTokens { get; init; }

    /// <summary>Gets the tokens of the answer; 0 when they were not reported.</summary>
    public long OutputTokens { get; init; }

    /// <summary>Gets when the item ended, by the wall clock.</summary>
    public DateTimeOffset At { get; init; }
}

/// <summary>Represents an item that has an outcome. Immutable.</summary>
/// <param name="Ordinal">The item's number in the store.</param>
/// <param name="Id">The item's id.</param>
/// <param name="Input">The item's input. Empty if it was not requested.</param>
/// <param name="Outcome">The outcome, without its result if that was not requested.</param>
public sealed record BatchStored(long Ordinal, string Id, ReadOnlyMemory<byte> Input, BatchOutcome Outcome);

/// <summary>Selects the parts to read of items that have an outcome.</summary>
[Flags]
public enum BatchContent
{
    /// <summary>The id and the outcome without its result.</summary>
    Outcome = 0,

    /// <summary>Also the input.</summary>
    Input = 1,

    /// <summary>Also the result.</summary>
    Result = 2,

    /// <summary>Everything.</summary>
    All = Input | Result,
}

/// <summary>Describes the progress of a batch, over all its runs and workers. Immutable.</summary>
public readonly record struct BatchCounts
{
    /// <summary>Gets the number of all items.</summary>
    public long Total { get; init; }

    /// <summary>Gets the number of items that have a result.</summary>
    public long Succeeded { get; init; }

    /// <summary>Gets the number of items that failed because of their own request.</summary>
    public long Failed { get; init; }

    /// <summary>Gets the number of items with a lost outcome and a call that must not be repeated.</summary>
    public long Unknown { get; init; }

    /// <summary>Gets the number of items that are claimed now.</summary>
    public long UnderWay { get; init; }

    /// <summary>Gets the number of calls that were begun.</summary>
    public long Calls { get; init; }

    /// <summary>Gets the number of calls without a stored outcome, because the process ended or the lease expired before.</summary>
    public long LostCalls { get; init; }

    /// <summary>Gets the amount spent, in the pool's currency. Lost calls count with their estimate.</summary>
    public double Spent { get; init; }

    /// <summary>Gets the estimated cost of the calls in flight.</summary>
    public double Reserved { get; init; }

    /// <summary>Gets the number of items that have an outcome.</summary>
    public long Finished => Succeeded + Failed + Unknown;
}
