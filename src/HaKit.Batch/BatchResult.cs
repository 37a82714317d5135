using HaKit.Batch.Stores;

namespace HaKit.Batch;

/// <summary>What became of one item. Immutable.</summary>
/// <typeparam name="TItem">The items' type.</typeparam>
/// <typeparam name="TResult">The results' type.</typeparam>
public sealed record BatchResult<TItem, TResult>
{
    /// <summary>Gets the item's id.</summary>
    public required string Id { get; init; }

    /// <summary>Gets the item.</summary>
    public required TItem Item { get; init; }

    /// <summary>Gets how it ended: succeeded, failed or unknown.</summary>
    public required BatchItemState State { get; init; }

    /// <summary>Gets the result; the default value unless it succeeded.</summary>
    public TResult? Result { get; init; }

    /// <summary>Gets the endpoint that served it; null when none did, or no pool was used.</summary>
    public string? Endpoint { get; init; }

    /// <summary>Gets why it failed; null when it did not.</summary>
    public string? Error { get; init; }

    /// <summary>Gets how many attempts its last call made, as far as they were seen.</summary>
    public int Attempts { get; init; }

    /// <summary>Gets what it cost with all attempts, in the currency of the endpoints' prices; 0 when prices are not known.</summary>
    public double Cost { get; init; }

    /// <summary>Gets the tokens of the prompt; 0 when they were not reported.</summary>
    public long InputTokens { get; init; }

    /// <summary>Gets the tokens of the answer; 0 when they were not reported.</summary>
    public long OutputTokens { get; init; }

    /// <summary>Gets when it ended.</summary>
    public DateTimeOffset At { get; init; }

    /// <summary>Was it stored by an earlier run?</summary>
    public bool IsEarlier { get; init; }
}
