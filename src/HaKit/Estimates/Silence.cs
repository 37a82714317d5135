namespace HaKit.Estimates;

/// <summary>
/// Measures how late an endpoint's silent attempts are, before any timeout. One word holds the number of silent attempts and the sum of their due times, so
/// that one interlocked addition changes both. Thread-safe and lock-free.
/// </summary>
internal sealed class Silence
{
    // 16 bits for the number, 48 bits for the sum in units of 3.3 ms: enough for 1,000 silent attempts at once in a pool that runs for 29 years.
    private const int NumberShift = 48;
    private const int UnitShift = 15;
    private const long SumMask = (1L << NumberShift) - 1;
    private const double SecondsPerUnit = (double)(1 << UnitShift) / TimeSpan.TicksPerSecond;

    private long _word;

    /// <summary>
    /// Records an attempt that should show a first sign of its answer by <paramref name="due"/>. Pass the result to <see cref="RecordEnd"/> exactly once.
    /// </summary>
    public long RecordStart(TimeSpan due)
    {
        var mark = (1L << NumberShift) + (due.Ticks >> UnitShift);
        Interlocked.Add(ref _word, mark);
        return mark;
    }

    /// <summary>Records that the attempt has shown a first sign of its answer, or has ended.</summary>
    public void RecordEnd(long mark) => Interlocked.Add(ref _word, -mark);

    /// <summary>Gets by how many seconds the silent attempts are late on average. 0 if they are not late.</summary>
    public double OverdueSeconds(TimeSpan now)
    {
        var word = Volatile.Read(ref _word);
        if (word == 0)
            return 0;
        var mean = (double)(word & SumMask) / (ushort)(word >> NumberShift);
        return Math.Max(0, ((now.Ticks >> UnitShift) - mean) * SecondsPerUnit);
    }
}
