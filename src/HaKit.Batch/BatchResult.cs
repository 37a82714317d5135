using HaKit.Batch.Stores;

namespace HaKit.Batch;

/// <summary>Represents the outcome of one item. Immutable.</summary>
/// <typeparam name="TItem">The type of the items.</typeparam>
/// <typeparam name="TResult">The type of the results.</typeparam>
public sealed record BatchResult<TItem, TResult>
{
    /// <summary>Gets the item's id.</summary>
    public required string Id { get; init; }

    /// <summary>Gets the item.</summary>
    public required TItem Item { get; init; }

    /// <summary>Gets how the item ended: succeeded, failed or unknown.</summary>
    public required BatchItemState State { get; init; }

    /// <summary>Gets the result; the default value unless the item succeeded.</summary>
    public TResult? Result { get; init; }

    /// <summary>Gets the endpoint that served the item. Null if no endpoint served it, or if no pool was used.</summary>
    public string? Endpoint { get; init; }

    /// <summary>Gets the reason why the item failed. Null if it did not fail.</summary>
    public string? Error { get; init; }

    /// <summary>Gets the number of attempts of the item's last call, as far as it is known.</summary>
    public int Attempts { get; init; }

    /// <summary>Gets the cost of all attempts, in the currency of the endpoints' prices; 0 if prices are not known.</summary>
    public double Cost { get; init; }

    /// <summary>Gets the tokens of the prompt; 0 when they were not reported.</summary>
    public long InputTokens { get; init; }

    /// <summary>Gets the tokens of the answer; 0 when they were not reported.</summary>
    public long OutputTokens { get; init; }

    /// <summary>Gets when the item ended.</summary>
    public DateTimeOffset At { get; init; }

    /// <summary>Gets whether an earlier run stored the result.</summary>
    public bool IsEarlier { get; init; }
}
