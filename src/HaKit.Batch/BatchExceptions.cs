using HaKit.Batch.Stores;

namespace HaKit.Batch;

/// <summary>Selects what happens to a stored result or input if the item now has another request or input.</summary>
public enum OnChanged
{
    /// <summary>
    /// The call throws <see cref="BatchChangedException"/>, which contains the number of changed items and the difference in the first of them.
    /// </summary>
    Refuse,

    /// <summary>The changed items are processed again; the new result replaces the old one.</summary>
    Redo,

    /// <summary>The old input and the old result are kept.</summary>
    Keep,
}

/// <summary>
/// The exception that is thrown when stored results or inputs of the batch belong to other requests than the requests that would be sent now.
/// </summary>
public sealed class BatchChangedException : InvalidOperationException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="batch">The batch's name.</param>
    /// <param name="count">The number of changed items.</param>
    /// <param name="id">The id of the first changed item.</param>
    /// <param name="what">The part with the difference: "the messages", "the options", "the response schema" or "the input".</param>
    public BatchChangedException(string batch, long count, string id, string what)
        : base($"Batch '{batch}': {count} {(count == 1 ? "item has" : "items have")} changed since {(count == 1 ? "it was" : "they were")} stored; of the first, '{id}', {what} changed. Set OnChanged to Redo to ask again, or to Keep to return the old results.")
    {
        Count = count;
        Id = id;
        Difference = what;
    }

    /// <summary>Gets the number of changed items.</summary>
    public long Count { get; }

    /// <summary>Gets the id of the first changed item.</summary>
    public string Id { get; }

    /// <summary>Gets the part of the first changed item that differs.</summary>
    public string Difference { get; }
}

/// <summary>The exception that is thrown when the store of a batch cannot be used, or failed during its use.</summary>
public class BatchStoreException : IOException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="message">The error and its remedy.</param>
    /// <param name="inner">The exception of the system.</param>
    public BatchStoreException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }

    /// <summary>Gets the outcomes that the store could not store when it failed. They were paid for, so the exception returns them.</summary>
    public IReadOnlyList<BatchStored> Unsaved { get; internal set; } = [];
}

/// <summary>The exception that is thrown when another process uses the journal.</summary>
public sealed class BatchLockedException : BatchStoreException
{
    internal BatchLockedException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}

/// <summary>The exception that is thrown when a journal has a damaged record with valid records after it, or was changed by another program while it was open. HaKit
/// does not change the file.</summary>
public sealed class BatchJournalDamagedException : BatchStoreException
{
    internal BatchJournalDamagedException(string message, long offset, Exception? innerException = null)
        : base(message, innerException) => Offset = offset;

    /// <summary>Gets the position of the damaged record in the file, in bytes.</summary>
    public long Offset { get; }
}

/// <summary>The reason why a run ended before all items had an outcome.</summary>
public enum BatchStopReason
{
    /// <summary>More items failed than <see cref="BatchRunOptions.MaxFailures"/> allows.</summary>
    MaxFailures,

    /// <summary>The time of <see cref="BatchRunOptions.StopAt"/> has come.</summary>
    StopAt,

    /// <summary>The next call could exceed <see cref="BatchRunOptions.MaxCost"/>.</summary>
    MaxCost,

    /// <summary>No call was served for as long as <see cref="BatchRunOptions.MaxOutage"/> allows.</summary>
    MaxOutage,
}

/// <summary>
/// The exception that is thrown when a run ended before all items had an outcome. The run returned all its results first. The next run continues with the
/// remaining items.
/// </summary>
public sealed class BatchStoppedException : InvalidOperationException
{
    internal BatchStoppedException(BatchStopReason reason, string message)
        : base(message) => Reason = reason;

    /// <summary>Gets the reason why the run ended.</summary>
    public BatchStopReason Reason { get; }
}
