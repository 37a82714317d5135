using HaKit.Batch.Stores;

namespace HaKit.Batch.Running;

/// <summary>How items become calls, and answers results. Thread-safe.</summary>
internal abstract class BatchWork<TItem, TResult>
{
    /// <summary>The pool behind it; null when there is none, or it cannot be seen.</summary>
    public abstract EndpointPool? Pool { get; }

    /// <summary>How many items go into one call.</summary>
    public virtual int GroupSize => 1;

    /// <summary>The fingerprint of the request that would be sent for an item.</summary>
    public abstract RequestFingerprint FingerprintOf(TItem item, ReadOnlyMemory<byte> input);

    /// <summary>About how many tokens a call takes; an output of 0 is not known.</summary>
    public abstract (long Input, long Output) EstimateTokens(TItem item);

    /// <summary>Makes one call for the items; gives an answer for each, in order.</summary>
    public abstract ValueTask<CallAnswer<TResult>> CallAsync(IReadOnlyList<TItem> items, RequestProfile profile, CancellationToken cancellationToken);

    public abstract byte[] Write(TResult result);

    public abstract TResult Read(ReadOnlyMemory<byte> bytes);
}

/// <summary>What a call gave.</summary>
internal sealed record CallAnswer<TResult>
{
    public required IReadOnlyList<TResult> Results { get; init; }

    public string? Endpoint { get; init; }

    public int Attempts { get; init; } = 1;

    /// <summary>Attempts besides the one that served that may have been billed.</summary>
    public int PerhapsBilled { get; init; }

    /// <summary>Was an attempt refused because the endpoint had enough?</summary>
    public bool WasThrottled { get; init; }

    public long? InputTokens { get; init; }

    public long? OutputTokens { get; init; }
}

/// <summary>Items that go into one call.</summary>
internal sealed class BatchUnit<TItem>(IReadOnlyList<BatchUnit<TItem>.Part> parts)
{
    public IReadOnlyList<Part> Parts => parts;

    /// <summary>How often it failed while other items were served.</summary>
    public int Tries { get; set; }

    /// <summary>What its calls without an outcome cost so far; the store knows it too.</summary>
    public double Estimate { get; set; }

    internal readonly record struct Part(BatchClaim Claim, TItem Item, RequestFingerprint Request);
}
