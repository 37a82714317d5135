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

    /// <summary>
    /// Prepares one call for the items. All functions of the application that the call needs run here, so that their exceptions are not failures of the call.
    /// </summary>
    public abstract PreparedCall<TResult> Prepare(IReadOnlyList<TItem> items);

    public abstract byte[] Write(TResult result);

    public abstract TResult Read(ReadOnlyMemory<byte> bytes);
}

/// <summary>Holds a call that can be made.</summary>
/// <param name="Tokens">The estimated tokens of each item. An output of 0 means that it is not known.</param>
/// <param name="CallAsync">Makes the call. Returns one answer for each item, in the same order.</param>
internal sealed record PreparedCall<TResult>(
    IReadOnlyList<(long Input, long Output)> Tokens, Func<RequestProfile, CancellationToken, ValueTask<CallAnswer<TResult>>> CallAsync);

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

    /// <summary>Gets or sets whether an outcome of the unit was stored. The unit's claims are then no longer valid.</summary>
    public bool HasOutcome { get; set; }

    /// <summary>Gets or sets the estimated cost of the unit's current call. The store reserves this amount.</summary>
    public double Estimate { get; set; }

    internal readonly record struct Part(BatchClaim Claim, TItem Item, RequestFingerprint Request);
}
