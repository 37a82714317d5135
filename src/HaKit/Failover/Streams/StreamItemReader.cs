using HaKit.Faults;

namespace HaKit;

/// <summary>Says of the items of a stream what they mean. Stateless, so that one instance serves all streams; called by one thread per stream.</summary>
/// <typeparam name="T">The items' type.</typeparam>
public abstract class StreamItemReader<T>
{
    /// <summary>Does the stream's dialect mark the end? Then an end without the mark is a cut. Default true.</summary>
    public virtual bool MarksEnd => true;

    /// <summary>What the item means.</summary>
    /// <param name="item">The item.</param>
    public abstract StreamSignal Read(T item);

    /// <summary>The fault that an item with <see cref="StreamSignal.Error"/> reports. Default: unknown, the endpoint's.</summary>
    /// <param name="item">The item.</param>
    public virtual Fault FaultOf(T item) => new(FaultKind.Unknown);

    /// <summary>The item's size in bytes, for the bound on what is held. Default 0: only the number of items is bounded.</summary>
    /// <param name="item">The item.</param>
    public virtual int SizeOf(T item) => 0;

    /// <summary>Usage that the item reports, if it does.</summary>
    /// <param name="item">The item.</param>
    /// <param name="inputTokens">Tokens of the prompt.</param>
    /// <param name="outputTokens">Tokens of the answer.</param>
    public virtual bool TryGetUsage(T item, out long? inputTokens, out long? outputTokens)
    {
        inputTokens = outputTokens = null;
        return false;
    }

    /// <summary>Reads the tokens of the prompt that a cache of the provider's held. Asked of items for which <see cref="TryGetUsage"/> is true. Default null: not known.</summary>
    /// <param name="item">The item.</param>
    public virtual long? CachedTokensOf(T item) => null;
}
