namespace HaKit.Failover;

/// <summary>
/// Keeps objects for reuse, without locks. If an object is lost in a race, the only cost is one allocation. Each processor first uses its own slot on its own
/// cache line, so that threads do not slow each other down when they rent and return objects at the same time.
/// </summary>
internal sealed class ObjectCache<T>(Func<T> create) where T : class
{
    // The number of references on one cache line.
    private const int Stride = 8;

    private readonly int _places = 1 + Environment.ProcessorCount * 4;
    private readonly T?[] _items = new T?[(2 + Environment.ProcessorCount * 4) * Stride];

    public T Rent()
    {
        var item = Interlocked.Exchange(ref OwnPlace(), null);
        return item ?? RentElsewhere();
    }

    public void Return(T item)
    {
        ref var own = ref OwnPlace();
        if (own is null && Interlocked.CompareExchange(ref own, item, null) is null)
            return;
        for (var place = 1; place <= _places; place++)
        {
            ref var slot = ref _items[place * Stride];
            if (slot is null && Interlocked.CompareExchange(ref slot, item, null) is null)
                return;
        }
    }

    private T RentElsewhere()
    {
        for (var place = 1; place <= _places; place++)
        {
            ref var slot = ref _items[place * Stride];
            if (slot is not null && Interlocked.Exchange(ref slot, null) is { } item)
                return item;
        }
        return create();
    }

    // The first line is not used, because the array's length and the object before the array are on it.
    private ref T? OwnPlace() => ref _items[(1 + (int)((uint)Thread.GetCurrentProcessorId() % (uint)_places)) * Stride];
}
