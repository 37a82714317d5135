using HaKit.Faults;

namespace HaKit;

/// <summary>
/// Classifies the items of a stream. An implementation must be stateless, because one instance serves all streams at the same time. Each stream calls it from
/// one thread at a time.
/// </summary>
/// <typeparam name="T">The type of the items.</typeparam>
public abstract class StreamItemReader<T>
{
    /// <summary>
    /// Gets whether the stream's format has a mark for its end (<see cref="StreamSignal.End"/>). If true, a stream that ends without the mark counts as cut.
    /// Default true.
    /// </summary>
    public virtual bool MarksEnd => true;

    /// <summary>Returns the meaning of an item.</summary>
    /// <param name="item">The item.</param>
    public abstract StreamSignal Read(T item);

    /// <summary>Gets the fault that an item with <see cref="StreamSignal.Error"/> reports. Default: an unknown fault of the endpoint.</summary>
    /// <param name="item">The item.</param>
    public virtual Fault FaultOf(T item) => new(FaultKind.Unknown);

    /// <summary>Gets the size of the item in bytes, for <see cref="Failover.StreamingOptions.HoldBytes"/>. Default 0: the item does not count.</summary>
    /// <param name="item">The item.</param>
    public virtual int SizeOf(T item) => 0;

    /// <summary>Gets the usage that the item reports, if it reports any. Default: none.</summary>
    /// <param name="item">The item.</param>
    /// <param name="inputTokens">Tokens of the prompt.</param>
    /// <param name="outputTokens">Tokens of the answer.</param>
    public virtual bool TryGetUsage(T item, out long? inputTokens, out long? outputTokens)
    {
        inputTokens = outputTokens = null;
        return false;
    }

    /// <summary>
    /// Gets the number of prompt tokens that came from the provider's cache. The pool calls it for items for which <see cref="TryGetUsage"/> returned true.
    /// Default null: not known.
    /// </summary>
    /// <param name="item">The item.</param>
    public virtual long? CachedTokensOf(T item) => null;
}
