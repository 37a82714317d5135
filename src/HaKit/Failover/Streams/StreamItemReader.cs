using HaKit.Faults;

namespace HaKit;

/// <summary>
/// Says what the items of a stream mean. An implementation must be stateless, because one instance serves all streams; each stream calls it from one thread
/// at a time.
/// </summary>
/// <typeparam name="T">The type of the items.</typeparam>
public abstract class StreamItemReader<T>
{
    /// <summary>Gets whether the stream's dialect marks the end. If it does, an end without the mark is a cut. Default true.</summary>
    public virtual bool MarksEnd => true;

    /// <summary>Returns the meaning of an item.</summary>
    /// <param name="item">The item.</param>
    public abstract StreamSignal Read(T item);

    /// <summary>Gets the fault that an item with <see cref="StreamSignal.Error"/> reports. Default: an unknown fault of the endpoint.</summary>
    /// <param name="item">The item.</param>
    public virtual Fault FaultOf(T item) => new(FaultKind.Unknown);

    /// <summary>Gets the size of the item in bytes, for the limit on what is held. Default 0: only the number of items is limited.</summary>
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
    /// Gets the number of prompt tokens that came from the provider's cache. Called for items for which <see cref="TryGetUsage"/> is true. Default null: not
    /// known.
    /// </summary>
    /// <param name="item">The item.</param>
    public virtual long? CachedTokensOf(T item) => null;
}
