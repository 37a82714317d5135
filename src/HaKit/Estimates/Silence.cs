namespace HaKit.Estimates;

/// <summary>
/// How overdue an endpoint's silent attempts are, before any timeout says so. One word holds their number and the sum of the instants at
/// which they were due, so that one interlocked addition keeps the two in step. Lock-free.
/// </summary>
internal sealed class Silence
{
    // 16 bits of number, 48 bits of sum in units of 3.3 ms: room for 1,000 silent attempts at once in a pool of 29 years.
    private const int NumberShift = 48;
    private const int UnitShift = 15;
    private const long SumMask = (1L << NumberShift) - 1;
    private const double SecondsPerUnit = (double)(1 << UnitShift) / TimeSpan.TicksPerSecond;

    private long _word;

    /// <summary>An attempt began that is expected to show life by <paramref name="due"/>. The answer is to be handed to <see cref="RecordEnd"/> exactly once.</summary>
    public long RecordStart(TimeSpan due)
    {
        var mark = (1L << NumberShift) + (due.Ticks >> UnitShift);
        Interlocked.Add(ref _word, mark);
        return mark;
    }

    /// <summary>It has shown life, or it is over.</summary>
    public void RecordEnd(long mark) => Interlocked.Add(ref _word, -mark);

    /// <summary>By how many seconds the silent attempts are late on average; 0 when they are not.</summary>
    public double OverdueSeconds(TimeSpan now)
    {
        var word = Volatile.Read(ref _word);
        if (word == 0)
            return 0;
        var mean = (double)(word & SumMask) / (ushort)(word >> NumberShift);
        return Math.Max(0, ((now.Ticks >> UnitShift) - mean) * SecondsPerUnit);
    }
}
