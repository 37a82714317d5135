using HaKit.Batch.Stores;

namespace HaKit.Batch;

/// <summary>Says what becomes of a stored result when the same id is asked for with another request.</summary>
public enum OnChanged
{
    /// <summary>The run is refused with <see cref="BatchChangedException"/>, which says how many items have changed and what is different in the first.</summary>
    Refuse,

    /// <summary>The changed items are worked on again; the new result replaces the old one.</summary>
    Redo,

    /// <summary>The old input and the old result are kept.</summary>
    Keep,
}

/// <summary>Items of the batch have a result, or an input, that belongs to another request than the one that would be sent now.</summary>
public sealed class BatchChangedException : InvalidOperationException
{
    /// <summary>Tells what has changed.</summary>
    /// <param name="batch">The batch's name.</param>
    /// <param name="count">How many items have changed.</param>
    /// <param name="id">The id of the first.</param>
    /// <param name="what">What is different in it: "the messages", "the options", "the response schema" or "the input".</param>
    public BatchChangedException(string batch, long count, string id, string what)
        : base($"Batch '{batch}': {count} {(count == 1 ? "item has" : "items have")} changed since {(count == 1 ? "it was" : "they were")} stored; of the first, '{id}', {what} changed. Set OnChanged to Redo to ask again, or to Keep to return the old results.")
    {
        Count = count;
        Id = id;
        Difference = what;
    }

    /// <summary>Gets how many items have changed.</summary>
    public long Count { get; }

    /// <summary>Gets the id of the first item that has changed.</summary>
    public string Id { get; }

    /// <summary>Gets what is different in the first item.</summary>
    public string Difference { get; }
}

/// <summary>The store of a batch cannot be used, or failed while it was used.</summary>
public class BatchStoreException : IOException
{
    /// <summary>Tells what is wrong with the store.</summary>
    /// <param name="message">What is wrong, and what to do.</param>
    /// <param name="inner">What the system said.</param>
    public BatchStoreException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }

    /// <summary>Gets the outcomes that were known when the store failed and that are not stored: they were paid for, and are handed over here.</summary>
    public IReadOnlyList<BatchStored> Unsaved { get; internal set; } = [];
}

/// <summary>Another process works with the journal.</summary>
public sealed class BatchLockedException : BatchStoreException
{
    internal BatchLockedException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}

/// <summary>A journal has a damaged record, and valid records after it. Nothing was changed in the file.</summary>
public sealed class BatchJournalDamagedException : BatchStoreException
{
    internal BatchJournalDamagedException(string message, long offset)
        : base(message) => Offset = offset;

    /// <summary>Gets the place of the damaged record in the file, in bytes.</summary>
    public long Offset { get; }
}

/// <summary>Says why a run ended before all items had an outcome.</summary>
public enum BatchStopReason
{
    /// <summary>More items failed than <see cref="BatchRunOptions.MaxFailures"/> allows.</summary>
    MaxFailures,

    /// <summary>The time of <see cref="BatchRunOptions.StopAt"/> has come.</summary>
    StopAt,

    /// <summary>The next call could exceed <see cref="BatchRunOptions.MaxCost"/>.</summary>
    MaxCost,
}

/// <summary>A run ended before all items had an outcome. All results that it had were returned first; the next run goes on.</summary>
public sealed class BatchStoppedException : InvalidOperationException
{
    internal BatchStoppedException(BatchStopReason reason, string message)
        : base(message) => Reason = reason;

    /// <summary>Gets why the run ended.</summary>
    public BatchStopReason Reason { get; }
}
