namespace HaKit.Failover;

/// <summary>
/// Holds items of a stream that were read, but must not be given to the caller yet. A mutable struct: keep it in a field that is not readonly, and do not copy it.
/// </summary>
internal struct HeldItems<T>()
{
    private readonly List<T> _items = [];
    private int _next;

    public readonly int Count => _items.Count;

    public readonly void Add(T item) => _items.Add(item);

    /// <summary>Takes the next item. False if none is left.</summary>
    public bool TryTake(out T item)
    {
        if (_next == _items.Count)
        {
            item = default!;
            return false;
        }
        item = _items[_next++];
        if (_next == _items.Count)
        {
            _items.Clear();
            _next = 0;
        }
        return true;
    }
}
