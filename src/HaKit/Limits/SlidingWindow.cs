namespace HaKit.Limits;

/// <summary>Limits an amount per minute so that no window of 60 s exceeds it. Lock-free; reading never writes.</summary>
/// <remarks>
/// <para>
/// Time is cut into buckets of 250 ms. Everything that was taken in the current bucket and the 240 buckets before it counts. Any 60 s touch at most these 241
/// buckets, so the limit holds for every window, not only for windows that begin with a bucket. In return, an amount becomes free up to one bucket (0.42 % of
/// the window) late.
/// </para>
/// <para>
/// One word holds the current bucket and the sum of everything that counts, and one compare-and-swap accepts an amount. Because sum and bucket are in one word,
/// a paused thread cannot check a new sum and charge an old bucket. The ring stores only the amounts to subtract later. Each slot of the ring contains the
/// number of its bucket, so that exactly one thread empties the slot. Sums are added to the word first and to the slot afterwards, and removed in the opposite
/// order, so the word never counts less than the slots hold. A race can only refuse too much, and only for at most one more turn of the ring.
/// </para>
/// </remarks>
internal sealed class SlidingWindow(uint limit)
{
    /// <summary>The limit of a window that only counts.</summary>
    public const uint NoLimit = uint.MaxValue;

    public const long BucketTicks = TimeSpan.TicksPerMinute / Buckets;

    public const int Buckets = 240;

    // Buckets + 1 buckets are in use at once. The size is a power of two, so that a bit mask gives the slot of a bucket.
    private const int Ring = 256;

    private readonly ulong[] _slots = new ulong[Ring];
    private ulong _state;
    private uint _limit = limit;
    private uint _held;

    public uint Limit
    {
        get => Volatile.Read(ref _limit);
        set => Volatile.Write(ref _limit, value);
    }

    /// <summary>Gets or sets the part of the limit that is reserved for other replicas.</summary>
    public uint Held
    {
        get => Volatile.Read(ref _held);
        set => Volatile.Write(ref _held, value);
    }

    /// <summary>Gets the number of the bucket of a given time; 32 bits are 34 years, compared modulo.</summary>
    public static uint BucketOf(TimeSpan now) => (uint)(now.Ticks / BucketTicks);

    /// <summary>Takes the amount or nothing; <paramref name="takenIn"/> is the bucket that is charged.</summary>
    public bool TryTake(uint amount, uint bucket, out uint takenIn)
    {
        while (true)
        {
            var state = Volatile.Read(ref _state);
            takenIn = BucketOf(state);
            if (IsAfter(bucket, takenIn))
            {
                Advance(state, bucket);
                continue;
            }
            if ((ulong)AmountOf(state) + amount + Held > Limit)
                return false;
            if (Interlocked.CompareExchange(ref _state, state + amount, state) != state)
                continue;
            Charge(takenIn, amount);
            return true;
        }
    }

    /// <summary>Adds to an amount that was taken earlier, in the bucket in which it was taken, even beyond the limit.</summary>
    public void Add(uint takenIn, long amount)
    {
        while (true)
        {
            var state = Volatile.Read(ref _state);
            if (IsAfter(BucketOf(state), takenIn + Buckets))
                return;
            var added = (uint)Math.Min(amount, uint.MaxValue - AmountOf(state));
            if (Interlocked.CompareExchange(ref _state, state + added, state) != state)
                continue;
            Charge(takenIn, added);
            return;
        }
    }

    /// <summary>Returns a part of an amount that was taken earlier, unless it has already expired.</summary>
    public void GiveBack(uint takenIn, uint amount)
    {
        ref var slot = ref SlotOf(takenIn);
        while (true)
        {
            var held = Volatile.Read(ref slot);
            if (BucketOf(held) != takenIn || AmountOf(held) < amount)
                return;
            if (Interlocked.CompareExchange(ref slot, held - amount, held) != held)
                continue;
            Remove(amount);
            return;
        }
    }

    public bool HasRoom(uint amount, uint bucket)
    {
        var state = Volatile.Read(ref _state);
        var over = (long)AmountOf(state) + amount + Held - Limit;
        return over <= 0 || (IsAfter(bucket, BucketOf(state)) && Expired(state, bucket, over) >= over);
    }

    /// <summary>Gets the amount that counts at the given time.</summary>
    public long Spent(uint bucket)
    {
        var state = Volatile.Read(ref _state);
        long spent = AmountOf(state);
        return IsAfter(bucket, BucketOf(state)) ? Math.Max(0, spent - Expired(state, bucket, spent)) : spent;
    }

    /// <summary>
    /// Gets the amount taken in each bucket that counts at the time of the given bucket: <see cref="Buckets"/> + 1 amounts, the oldest first.
    /// </summary>
    public uint[] ReadBuckets(uint bucket)
    {
        var taken = new uint[Buckets + 1];
        for (var i = 0; i <= Buckets; i++)
        {
            var number = bucket - Buckets + (uint)i;
            var slot = Volatile.Read(ref SlotOf(number));
            taken[i] = BucketOf(slot) == number ? AmountOf(slot) : 0;
        }
        return taken;
    }

    /// <summary>
    /// Gets the earliest time at which the window has capacity for the amount, if no other amount is taken until then. <see cref="TimeSpan.MaxValue"/> if the
    /// amount can never fit.
    /// </summary>
    public TimeSpan AvailableAt(uint amount, TimeSpan now)
    {
        if (amount > Limit)
            return TimeSpan.MaxValue;
        var state = Volatile.Read(ref _state);
        var held = Held;
        var over = (long)AmountOf(state) + amount + held - Limit;
        var head = BucketOf(state);
        var bucket = head - Buckets;
        for (; over > 0 && bucket != head + 1; bucket++)
        {
            var slot = Volatile.Read(ref SlotOf(bucket));
            if (!IsAfter(BucketOf(slot), bucket))
                over -= AmountOf(slot);
        }
        if (bucket == head - Buckets)
            return now;
        // The last examined bucket leaves the window Buckets + 1 buckets after it began.
        var current = now.Ticks / BucketTicks;
        var leaves = current + (int)(bucket + Buckets - (uint)current);
        // The amount that other replicas hold changes once a second.
        var at = held == 0 ? leaves * BucketTicks : Math.Min(leaves * BucketTicks, now.Ticks + TimeSpan.TicksPerSecond);
        return TimeSpan.FromTicks(Math.Max(now.Ticks, at));
    }

    private void Advance(ulong state, uint bucket)
    {
        if (Interlocked.CompareExchange(ref _state, Pack(bucket, AmountOf(state)), state) != state || AmountOf(state) == 0)
            return;
        // This value is read only now, because a thread that sees the smaller sum must also see the newer bucket.
        var oldest = BucketOf(state) - Buckets;
        var passed = Math.Min(bucket - BucketOf(state), Ring);
        for (uint n = 0; n < passed; n++)
            Expire(oldest + n);
    }

    private void Expire(uint bucket)
    {
        ref var slot = ref SlotOf(bucket);
        while (true)
        {
            var held = Volatile.Read(ref slot);
            if (AmountOf(held) == 0 || IsAfter(BucketOf(held), bucket))
                return;
            if (Interlocked.CompareExchange(ref slot, Pack(BucketOf(held), 0), held) != held)
                continue;
            Remove(AmountOf(held));
            return;
        }
    }

    private void Charge(uint bucket, uint amount)
    {
        ref var slot = ref SlotOf(bucket);
        while (true)
        {
            var held = Volatile.Read(ref slot);
            if (!IsAfter(bucket, BucketOf(held)))
            {
                // This thread may write to the slot. After a pause of a whole turn of the ring, the slot belongs to a newer bucket, and the amount expires
                // late.
                Interlocked.Add(ref slot, amount);
                return;
            }
            if (Interlocked.CompareExchange(ref slot, Pack(bucket, amount), held) != held)
                continue;
            Remove(AmountOf(held));
            return;
        }
    }

    private void Remove(uint amount)
    {
        if (amount != 0)
            Interlocked.Add(ref _state, unchecked(0UL - amount));
    }

    /// <summary>
    /// Gets the amount that has left the window by the given bucket but is still in the sum; stops when it reaches <paramref name="enough"/>.
    /// </summary>
    private long Expired(ulong state, uint bucket, long enough)
    {
        var oldest = BucketOf(state) - Buckets;
        var passed = bucket - BucketOf(state);
        if (passed > Buckets)
            return AmountOf(state);
        long expired = 0;
        for (uint n = 0; n < passed && expired < enough; n++)
        {
            var held = Volatile.Read(ref SlotOf(oldest + n));
            if (!IsAfter(BucketOf(held), oldest + n))
                expired += AmountOf(held);
        }
        return expired;
    }

    private ref ulong SlotOf(uint bucket) => ref _slots[bucket & (Ring - 1)];

    private static ulong Pack(uint bucket, uint amount) => (ulong)bucket << 32 | amount;

    private static uint BucketOf(ulong word) => (uint)(word >> 32);

    private static uint AmountOf(ulong word) => (uint)word;

    private static bool IsAfter(uint bucket, uint other) => (int)(bucket - other) > 0;
}
