namespace HaKit.Failover;

/// <summary>A small lock-free store of objects to use again. Losing one to a race only costs an allocation.</summary>
internal sealed class ObjectCache<T>(Func<T> create) where T : class
{
    private readonly T?[] _items = new T?[Environment.ProcessorCount * 4];
    private T? _first;

    public T Rent()
    {
        var item = _first;
        if (item is not null && Interlocked.CompareExchange(ref _first, null, item) == item)
            return item;
        foreach (ref var slot in _items.AsSpan())
        {
            item = slot;
            if (item is not null && Interlocked.CompareExchange(ref slot, null, item) == item)
                return item;
        }
        return create();
    }

    public void Return(T item)
    {
        if (_first is null && Interlocked.CompareExchange(ref _first, item, null) is null)
            return;
        foreach (ref var slot in _items.AsSpan())
        {
            if (slot is null && Interlocked.CompareExchange(ref slot, item, null) is null)
                return;
        }
    }
}
