namespace HaKit.Batch.Stores;

/// <summary>
/// Stores the items of one batch, and one result for each item. <see cref="BatchJournal"/> and the package HaKit.PostgreSql implement it. Your own
/// implementation must behave as its members describe. All members must be thread-safe.
/// </summary>
/// <remarks>
/// A member that cannot do its work throws. The run then ends with <see cref="BatchStoreException"/>, and no item fails because of it. Throw a <see
/// cref="BatchStoreException"/> with the remedy in its message: the run throws it unchanged. If a member throws any other exception, for example the exception
/// of a database driver, the run throws a <see cref="BatchStoreException"/> that names the member, and that has the other exception as its inner exception. An
/// <see cref="OperationCanceledException"/> counts as a failure, unless the token of the call was cancelled. The store must repeat its own statements if that
/// may help, because a run does not repeat them.
/// </remarks>
public interface IBatchStore : IAsyncDisposable
{
    /// <summary>Gets the name of the batch, for messages and metrics.</summary>
    string Name { get; }

    /// <summary>
    /// Gets notices from the opening of the store, one sentence each, for example that the unfinished end of a journal was cut off. Empty if there are none.
    /// </summary>
    IReadOnlyList<string> Notices { get; }

    /// <summary>Gets the time after which another worker may take over a claimed item. Null if there can be no other worker.</summary>
    TimeSpan? Lease { get; }

    /// <summary>Counts the items by their state, and their cost. It must be fast, because progress is read once a second.</summary>
    /// <param name="cancellationToken">Cancels the call.</param>
    ValueTask<BatchCounts> CountAsync(CancellationToken cancellationToken = default);

    /// <summary>Adds items. They are durable when the task ends. An item that the store already has with the same input is not changed.</summary>
    /// <param name="inputs">The items; each id occurs once.</param>
    /// <param name="replaceChanged">
    /// True: an item that the store has with another input gets the new input and loses its outcome. False: the item is not changed.
    /// </param>
    /// <param name="cancellationToken">Cancels the call; some of the items may have been added.</param>
    /// <returns>The number of new items, and the number of items with another input.</returns>
    ValueTask<BatchAdded> AddAsync(IReadOnlyList<BatchInput> inputs, bool replaceChanged, CancellationToken cancellationToken = default);

    /// <summary>Claims items that have no result and that no other worker has claimed, in the order in which they were added.</summary>
    /// <param name="count">The maximum number of items to claim; at least 1.</param>
    /// <param name="mayRepeat">False: an item whose worker dies becomes <see cref="BatchItemState.Unknown"/> instead of being claimed again.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The claims. Empty if there is nothing to claim now.</returns>
    ValueTask<IReadOnlyList<BatchClaim>> ClaimAsync(int count, bool mayRepeat, CancellationToken cancellationToken = default);

    /// <summary>
    /// Records that the call of a claimed item begins, and reserves its cost. If the call may begin, and there is a cost limit or the call must not be
    /// repeated, the record must be durable when the task ends.
    /// </summary>
    /// <param name="claim">The claim.</param>
    /// <param name="start">The call before it is made.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>False if the sum of the spent amount, the reserved amount and this estimate exceeds the limit. In this case nothing is reserved.</returns>
    ValueTask<bool> StartAsync(BatchClaim claim, BatchStart start, CancellationToken cancellationToken = default);

    /// <summary>Stores the outcome of a claimed item. The outcome is durable when the task ends.</summary>
    /// <param name="claim">The claim.</param>
    /// <param name="outcome">The outcome.</param>
    /// <param name="cancellationToken">Cancels the wait; the outcome may be stored nevertheless.</param>
    /// <returns>False if the claim is no longer valid because another worker took over the item; that worker's outcome counts.</returns>
    /// <exception cref="BatchStoreException">
    /// The store failed. The outcome is not stored, and the run returns it in <see cref="BatchStoreException.Unsaved"/>. The run does the same after any other
    /// exception.
    /// </exception>
    ValueTask<bool> CommitAsync(BatchClaim claim, BatchOutcome outcome, CancellationToken cancellationToken = default);

    /// <summary>Records that the call of a claimed item ended without an outcome, and records its cost. The claim stays valid.</summary>
    /// <param name="claim">The claim.</param>
    /// <param name="cost">The cost of the call, in the pool's currency.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    ValueTask EndAsync(BatchClaim claim, double cost, CancellationToken cancellationToken = default);

    /// <summary>Returns claimed items that have no call in flight.</summary>
    /// <param name="claims">The claims.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    ValueTask ReleaseAsync(IReadOnlyCollection<BatchClaim> claims, CancellationToken cancellationToken = default);

    /// <summary>Renews the leases of claims. It is called each time a third of <see cref="Lease"/> has passed.</summary>
    /// <param name="claims">The claims that are still in use.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The claims that another worker has taken over; their calls are no longer needed.</returns>
    ValueTask<IReadOnlyCollection<BatchClaim>> RenewAsync(IReadOnlyCollection<BatchClaim> claims, CancellationToken cancellationToken = default);

    /// <summary>
    /// Reads the items that have an outcome, in the order in which they were added. Items that get their outcome while the enumeration runs may be missing.
    /// </summary>
    /// <param name="content">The parts to read of each item.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    IAsyncEnumerable<BatchStored> ReadFinishedAsync(BatchContent content, CancellationToken cancellationToken = default);

    /// <summary>Removes the outcomes of items, so that they are processed again. Durable when the task ends.</summary>
    /// <param name="finished">The items, as they were read. An outcome that has been replaced since then is kept.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    ValueTask RedoAsync(IReadOnlyList<BatchStored> finished, CancellationToken cancellationToken = default);
}
