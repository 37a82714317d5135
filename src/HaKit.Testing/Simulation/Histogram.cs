using System.Numerics;

namespace HaKit.Testing;

/// <summary>
/// Counts durations in buckets of at most 0.8 % width, from 100 ns to the longest duration. Its size does not depend on the number of durations.
/// </summary>
internal sealed class Histogram
{
    private const int Bits = 7;
    private const int PerPower = 1 << Bits;

    private readonly long[] _counts = new long[(64 - Bits) * PerPower];

    public long Count { get; private set; }

    public TimeSpan Longest { get; private set; }

    public TimeSpan Sum { get; private set; }

    public void Add(TimeSpan duration)
    {
        var ticks = Math.Max(0, duration.Ticks);
        _counts[IndexOf(ticks)]++;
        Count++;
        Sum += duration;
        if (duration > Longest)
            Longest = duration;
    }

    /// <summary>Returns the upper edge of the bucket that contains the quantile. So the result is never below the quantile.</summary>
    public TimeSpan Quantile(double share)
    {
        if (Count == 0)
            return TimeSpan.Zero;
        var rank = Math.Clamp((long)Math.Ceiling(share * Count), 1, Count);
        for (var i = 0; i < _counts.Length; i++)
        {
            if ((rank -= _counts[i]) <= 0)
                return TimeSpan.FromTicks(Math.Min(UpperEdge(i), Longest.Ticks));
        }

        return Longest;
    }

    // The first 2^Bits ticks have one bucket each. Every later power of two has 2^Bits buckets.
    private static int IndexOf(long ticks)
    {
        if (ticks < PerPower)
            return (int)ticks;
        var power = BitOperations.Log2((ulong)ticks) - Bits;
        return (power + 1) * PerPower + (int)(ticks >> power) - PerPower;
    }

    private static long UpperEdge(int index)
    {
        if (index < PerPower)
            return index;
        var power = index / PerPower - 1;
        return ((long)(index % PerPower + PerPower + 1) << power) - 1;
    }
}
