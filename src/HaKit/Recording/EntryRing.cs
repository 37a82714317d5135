namespace HaKit.Recording;

/// <summary>
/// Holds the entries that are not written yet. Bounded and lock-free, for many writers and one reader. This is Vyukov's bounded queue: each cell has the number
/// of the turn in which it may be used. So a writer reserves a cell with one compare-and-swap, and publishes it with one store. When the ring is full, the
/// entry is dropped and counted.
/// </summary>
internal sealed class EntryRing
{
    private readonly Cell[] _cells;
    private readonly int _mask;
    private long _next;
    private long _dropped;
    private long _read;

    /// <param name="capacity">The number of entries; rounded up to a power of two.</param>
    public EntryRing(int capacity)
    {
        var size = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)capacity);
        _cells = new Cell[size];
        _mask = size - 1;
        for (var i = 0; i < size; i++)
            _cells[i].Turn = i;
    }

    public int Capacity => _cells.Length;

    /// <summary>Adds an entry. False if the ring is full; the entry is then dropped.</summary>
    /// <param name="entry">The entry.</param>
    /// <param name="place">The number of entries before it; meaningless if the entry was dropped.</param>
    public bool TryAdd(in RingEntry entry, out long place)
    {
        place = Volatile.Read(ref _next);
        while (true)
        {
            ref var cell = ref _cells[place & _mask];
            var difference = Volatile.Read(ref cell.Turn) - place;
            if (difference < 0)
            {
                Interlocked.Increment(ref _dropped);
                return false;
            }
            if (difference == 0 && Interlocked.CompareExchange(ref _next, place + 1, place) == place)
            {
                cell.Entry = entry;
                Volatile.Write(ref cell.Turn, place + 1);
                return true;
            }
            place = Volatile.Read(ref _next);
        }
    }

    /// <summary>Gets the number of entries that were read.</summary>
    public long Read => Volatile.Read(ref _read);

    /// <summary>Gets whether the ring is empty. Only for the reader.</summary>
    public bool IsEmpty => Volatile.Read(ref _cells[_read & _mask].Turn) != _read + 1;

    /// <summary>Takes the oldest entry. Only for the reader.</summary>
    public bool TryRead(out RingEntry entry)
    {
        ref var cell = ref _cells[_read & _mask];
        if (Volatile.Read(ref cell.Turn) != _read + 1)
        {
            entry = default;
            return false;
        }
        entry = cell.Entry;
        cell.Entry = default; // so that the garbage collector can free the entry's objects
        Volatile.Write(ref cell.Turn, _read + _cells.Length);
        Volatile.Write(ref _read, _read + 1);
        return true;
    }

    /// <summary>Gets the number of dropped entries, and resets it to 0.</summary>
    public long TakeDropped() => Interlocked.Exchange(ref _dropped, 0);

    private struct Cell
    {
        public long Turn;
        public RingEntry Entry;
    }
}
