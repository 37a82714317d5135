using HaKit.Batch.Stores;

namespace HaKit.Batch.Running;

/// <summary>Turns items into calls, and answers into results. Thread-safe.</summary>
internal abstract class BatchWork<TItem, TResult>
{
    /// <summary>Gets the pool behind the client. Null if the client has no pool, or does not expose it.</summary>
    public abstract EndpointPool? Pool { get; }

    /// <summary>Gets the number of items in one call.</summary>
    public virtual int GroupSize => 1;

    /// <summary>Gets the fingerprint of the request that would be sent for an item.</summary>
    public abstract RequestFingerprint FingerprintOf(TItem item, ReadOnlyMemory<byte> input);

    /// <summary>Estimates the tokens of a call. An output of 0 means that it is not known.</summary>
    public abstract (long Input, long Output) EstimateTokens(TItem item);

    /// <summary>Makes one call for the items. Returns one answer for each item, in the same order.</summary>
    public abstract ValueTask<CallAnswer<TResult>> CallAsync(IReadOnlyList<TItem> items, RequestProfile profile, CancellationToken cancellationToken);

    public abstract byte[] Write(TResult result);

    public abstract TResult Read(ReadOnlyMemory<byte> bytes);
}

/// <summary>Holds the result of a call.</summary>
internal sealed record CallAnswer<TResult>
{
    public required IReadOnlyList<TResult> Results { get; init; }

    public string? Endpoint { get; init; }

    public int Attempts { get; init; } = 1;

    /// <summary>Gets the number of attempts that may have been billed, without the served attempt.</summary>
    public int PerhapsBilled { get; init; }

    /// <summary>Gets whether an attempt was throttled.</summary>
    public bool WasThrottled { get; init; }

    public long? InputTokens { get; init; }

    public long? OutputTokens { get; init; }
}

/// <summary>Holds the items of one call.</summary>
internal sealed class BatchUnit<TItem>(IReadOnlyList<BatchUnit<TItem>.Part> parts)
{
    public IReadOnlyList<Part> Parts => parts;

    /// <summary>Gets or sets the number of failures of which the unit itself is the reason (<see cref="FailureEvidence"/>).</summary>
    public int Tries { get; set; }

    /// <summary>Gets or sets whether the unit has failed while other items were served. Its next call may wait in the pool.</summary>
    public bool IsSuspect { get; set; }

    /// <summary>Gets or sets the position of the unit's last failure in the order of the run's events. 0 if the unit has not failed.</summary>
    public long FailedAt { get; set; }

    /// <summary>Gets or sets the estimated cost of the unit's current call. The store reserves this amount.</summary>
    public double Estimate { get; set; }

    internal readonly record struct Part(BatchClaim Claim, TItem Item, RequestFingerprint Request);
}
