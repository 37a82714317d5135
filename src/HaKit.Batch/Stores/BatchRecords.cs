namespace HaKit.Batch.Stores;

/// <summary>One item as it is added to a store. Immutable.</summary>
/// <param name="Id">Its id, unique in the batch.</param>
/// <param name="Payload">Its input, as the application wrote it.</param>
public sealed record BatchInput(string Id, ReadOnlyMemory<byte> Payload);

/// <summary>What a call of <see cref="IBatchStore.AddAsync"/> found.</summary>
/// <param name="Added">Items that are new.</param>
/// <param name="Changed">Items that the store had with another input.</param>
/// <param name="FirstChanged">The id of the first of these; null when there are none.</param>
public readonly record struct BatchAdded(int Added, int Changed, string? FirstChanged);

/// <summary>The right to work on one item. Immutable.</summary>
/// <param name="Ordinal">The item's number in the store.</param>
/// <param name="Id">The item's id.</param>
/// <param name="Input">The item's input.</param>
/// <param name="Fence">A number that grows with each claim of the item: an outcome that arrives with an older number is refused.</param>
public sealed record BatchClaim(long Ordinal, string Id, ReadOnlyMemory<byte> Input, long Fence);

/// <summary>What is known of an item's call before it is made.</summary>
/// <param name="Estimate">What it will cost by estimate, in the pool's currency; 0 when prices are not known.</param>
/// <param name="MaxCost">The most that the batch may cost over all its runs; null for no limit.</param>
/// <param name="MayRepeat">May the call be made again when its outcome was lost?</param>
public readonly record struct BatchStart(double Estimate, double? MaxCost, bool MayRepeat);

/// <summary>How far an item is.</summary>
public enum BatchItemState : byte
{
    /// <summary>It has no outcome yet.</summary>
    Pending,

    /// <summary>A worker has claimed it.</summary>
    UnderWay,

    /// <summary>It has a result.</summary>
    Succeeded,

    /// <summary>It failed for a reason of its own, such as a content filter.</summary>
    Failed,

    /// <summary>Its call must not be repeated, and its outcome was lost with the process that made the call.</summary>
    Unknown,
}

/// <summary>The outcome of one item. Immutable.</summary>
public sealed record BatchOutcome
{
    /// <summary>Gets how it ended: succeeded, failed or unknown.</summary>
    public required BatchItemState State { get; init; }

    /// <summary>Gets the fingerprint of the request as it was sent.</summary>
    public required RequestFingerprint Request { get; init; }

    /// <summary>Gets the result, as the application reads it again; empty unless it succeeded.</summary>
    public ReadOnlyMemory<byte> Result { get; init; }

    /// <summary>Gets the endpoint that served it; null when none did.</summary>
    public string? Endpoint { get; init; }

    /// <summary>Gets why it failed; never holds a prompt.</summary>
    public string? Error { get; init; }

    /// <summary>Gets how many attempts its calls made, as far as they were seen.</summary>
    public int Attempts { get; init; }

    /// <summary>Gets what all its attempts cost, in the pool's currency; 0 when prices are not known.</summary>
    public double Cost { get; init; }

    /// <summary>Gets the tokens of the prompt; 0 when they were not reported.</summary>
    public long InputTokens { get; init; }

    /// <summary>Gets the tokens of the answer; 0 when they were not reported.</summary>
    public long OutputTokens { get; init; }

    /// <summary>Gets when it ended, by the wall clock.</summary>
    public DateTimeOffset At { get; init; }
}

/// <summary>An item that has an outcome. Immutable.</summary>
/// <param name="Ordinal">The item's number in the store.</param>
/// <param name="Id">The item's id.</param>
/// <param name="Input">The item's input; empty when it was not asked for.</param>
/// <param name="Outcome">Its outcome; without its result when that was not asked for.</param>
public sealed record BatchStored(long Ordinal, string Id, ReadOnlyMemory<byte> Input, BatchOutcome Outcome);

/// <summary>What to read of items that have an outcome.</summary>
[Flags]
public enum BatchContent
{
    /// <summary>The id and what is known of the outcome.</summary>
    Outcome = 0,

    /// <summary>The input too.</summary>
    Input = 1,

    /// <summary>The result too.</summary>
    Result = 2,

    /// <summary>Everything.</summary>
    All = Input | Result,
}

/// <summary>How far a batch is, over all its runs and workers. Immutable.</summary>
public readonly record struct BatchCounts
{
    /// <summary>Gets all items.</summary>
    public long Total { get; init; }

    /// <summary>Gets the items that have a result.</summary>
    public long Succeeded { get; init; }

    /// <summary>Gets the items that failed for a reason of their own.</summary>
    public long Failed { get; init; }

    /// <summary>Gets the items whose outcome was lost and must not be asked for again.</summary>
    public long Unknown { get; init; }

    /// <summary>Gets the items that are claimed at this moment.</summary>
    public long UnderWay { get; init; }

    /// <summary>Gets the calls that were begun.</summary>
    public long Calls { get; init; }

    /// <summary>Gets the calls whose process ended, or whose lease ran out, before their outcome was stored.</summary>
    public long LostCalls { get; init; }

    /// <summary>Gets what was spent, in the pool's currency; lost calls count by their estimate.</summary>
    public double Spent { get; init; }

    /// <summary>Gets what the calls under way will cost, by estimate.</summary>
    public double Reserved { get; init; }

    /// <summary>Gets the items that have an outcome.</summary>
    public long Finished => Succeeded + Failed + Unknown;
}
