namespace HaKit.Batch.Stores;

/// <summary>
/// Keeps the items of one batch and one result for each. <see cref="BatchJournal"/> and the package HaKit.PostgreSql implement it; an implementation
/// of your own must keep the promises that the members state. All members are thread-safe.
/// </summary>
public interface IBatchStore : IAsyncDisposable
{
    /// <summary>Gets the name of the batch, for messages and metrics.</summary>
    string Name { get; }

    /// <summary>Gets what was noticed when the store was opened, one sentence each, for example that the unfinished end of a journal was cut off. Empty when all is well.</summary>
    IReadOnlyList<string> Notices { get; }

    /// <summary>Gets the time after which another worker may take over an item that was claimed; null when no other worker can exist.</summary>
    TimeSpan? Lease { get; }

    /// <summary>Counts the items by their state, and what they cost. Costs no more than a moment: progress is read once a second.</summary>
    /// <param name="cancellationToken">Cancels the call.</param>
    ValueTask<BatchCounts> CountAsync(CancellationToken cancellationToken = default);

    /// <summary>Adds items, durably when the task ends. An item whose id and input the store has is left as it is.</summary>
    /// <param name="inputs">The items. An id occurs once.</param>
    /// <param name="replaceChanged">True: an id that the store has with another input gets the new input, and its outcome no longer counts. False: it is left as it is.</param>
    /// <param name="cancellationToken">Cancels the call; items may have been added.</param>
    /// <returns>How many were new, and how many had another input.</returns>
    ValueTask<BatchAdded> AddAsync(IReadOnlyList<BatchInput> inputs, bool replaceChanged, CancellationToken cancellationToken = default);

    /// <summary>Claims items that have no result and that no other worker holds, in the order in which they were added.</summary>
    /// <param name="count">The most items to claim; at least 1.</param>
    /// <param name="mayRepeat">False: an item whose worker dies becomes <see cref="BatchItemState.Unknown"/> in the place of being claimed again.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The claims; empty when there is nothing to claim now.</returns>
    ValueTask<IReadOnlyList<BatchClaim>> ClaimAsync(int count, bool mayRepeat, CancellationToken cancellationToken = default);

    /// <summary>
    /// Notes that the call of a claimed item begins, and reserves its cost. When this returns true and a limit is given, or the item must not be repeated, the note is durable.
    /// </summary>
    /// <param name="claim">The claim.</param>
    /// <param name="start">What is known of the call before it is made.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>False when what was spent, what is reserved and this estimate together exceed the limit; nothing is reserved then.</returns>
    ValueTask<bool> StartAsync(BatchClaim claim, BatchStart start, CancellationToken cancellationToken = default);

    /// <summary>Stores the outcome of a claimed item. The outcome is durable when the task ends.</summary>
    /// <param name="claim">The claim.</param>
    /// <param name="outcome">The outcome.</param>
    /// <param name="cancellationToken">Cancels the wait; the outcome may be stored all the same.</param>
    /// <returns>False when the claim is no longer valid because another worker took the item over; the other worker's outcome counts.</returns>
    /// <exception cref="BatchStoreException">The store failed. The outcome is not stored.</exception>
    ValueTask<bool> CommitAsync(BatchClaim claim, BatchOutcome outcome, CancellationToken cancellationToken = default);

    /// <summary>Notes that the call of a claimed item ended without an outcome, and what it cost. The claim stays.</summary>
    /// <param name="claim">The claim.</param>
    /// <param name="cost">What the call cost, in the pool's currency.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    ValueTask EndAsync(BatchClaim claim, double cost, CancellationToken cancellationToken = default);

    /// <summary>Gives claimed items back of which no call is under way.</summary>
    /// <param name="claims">The claims.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    ValueTask ReleaseAsync(IReadOnlyCollection<BatchClaim> claims, CancellationToken cancellationToken = default);

    /// <summary>Renews the leases of claims. Called at a third of <see cref="Lease"/>.</summary>
    /// <param name="claims">The claims that are still worked on.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The claims that another worker has taken over: no call needs to be made for them any more.</returns>
    ValueTask<IReadOnlyCollection<BatchClaim>> RenewAsync(IReadOnlyCollection<BatchClaim> claims, CancellationToken cancellationToken = default);

    /// <summary>Reads the items that have an outcome, in the order in which they were added. Items that get their outcome meanwhile may be missing.</summary>
    /// <param name="content">What to read of each.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    IAsyncEnumerable<BatchStored> ReadFinishedAsync(BatchContent content, CancellationToken cancellationToken = default);

    /// <summary>Takes the outcomes of items away, so that they are worked on again. Durable when the task ends.</summary>
    /// <param name="finished">The items, as they were read: an outcome that has been replaced since is kept.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    ValueTask RedoAsync(IReadOnlyList<BatchStored> finished, CancellationToken cancellationToken = default);
}
