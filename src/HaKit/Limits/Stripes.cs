namespace HaKit.Limits;

/// <summary>
/// Gives each processor its own words on its own cache lines. This suits values to which every call adds, and which only reports read. Additions stay
/// interlocked, because a thread may move to another processor at any moment.
/// </summary>
internal static class Stripes
{
    // The stride is two cache lines, because processors fetch two neighbouring lines together.
    private const int Stride = 16;

    // If there are more processors than stripes, several processors share a stripe.
    public static int Count { get; } = Math.Min(16, Environment.ProcessorCount);

    /// <summary>Creates the words for all processors.</summary>
    public static long[] New() => new long[(Count + 1) * Stride];

    /// <summary>Gets the index of the current processor's first word; up to 15 more words follow it.</summary>
    public static int Own => PlaceOf((int)((uint)Thread.GetCurrentProcessorId() % (uint)Count));

    // The first lines are not used, because the array's length and the object before the array are on them.
    public static int PlaceOf(int stripe) => (1 + stripe) * Stride;
}

/// <summary>Counts amounts and their sum. Thread-safe; exact when no addition is in progress.</summary>
internal sealed class StripedSum
{
    private readonly long[] _words = Stripes.New();

    public long Count => SumOf(0);

    public long Sum => SumOf(1);

    public void Add(long amount)
    {
        var at = Stripes.Own;
        Interlocked.Increment(ref _words[at]);
        Interlocked.Add(ref _words[at + 1], amount);
    }

    private long SumOf(int offset)
    {
        var sum = 0L;
        for (var stripe = 0; stripe < Stripes.Count; stripe++)
            sum += Volatile.Read(ref _words[Stripes.PlaceOf(stripe) + offset]);
        return sum;
    }
}

/// <summary>
/// Collects amounts for a window by processor, and moves them to the window when a new bucket begins or before the window is read. Thread-safe; the window
/// counts each amount in the bucket in which it was added.
/// </summary>
internal sealed class StripedWindow
{
    private readonly SlidingWindow _window = new(SlidingWindow.NoLimit);
    private readonly long[] _words = Stripes.New();

    public void Add(uint amount, uint bucket)
    {
        ref var word = ref _words[Stripes.Own];
        while (true)
        {
            var held = Volatile.Read(ref word);
            var isCurrent = (uint)(held >> 32) == bucket && (ulong)(uint)held + amount <= uint.MaxValue;
            var next = isCurrent ? held + amount : (long)bucket << 32 | amount;
            if (Interlocked.CompareExchange(ref word, next, held) != held)
                continue;
            if (!isCurrent)
                Carry(held);
            return;
        }
    }

    /// <summary>Gets the amount that counts at the given time.</summary>
    public long Spent(uint bucket)
    {
        CarryAll();
        return _window.Spent(bucket);
    }

    /// <inheritdoc cref="SlidingWindow.ReadBuckets"/>
    public uint[] ReadBuckets(uint bucket)
    {
        CarryAll();
        return _window.ReadBuckets(bucket);
    }

    private void CarryAll()
    {
        for (var stripe = 0; stripe < Stripes.Count; stripe++)
            Carry(Interlocked.Exchange(ref _words[Stripes.PlaceOf(stripe)], 0));
    }

    private void Carry(long held)
    {
        var (bucket, amount) = ((uint)(held >> 32), (uint)held);
        if (amount == 0)
            return;
        _window.TryTake(0, bucket, out _); // this moves the window forward to the bucket
        _window.Add(bucket, amount);
    }
}
