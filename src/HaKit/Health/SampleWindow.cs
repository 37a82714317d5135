namespace HaKit.Health;

/// <summary>
/// Counts successes and failures of the last <c>SamplingDuration</c>, in ten buckets. Within the current bucket, a success is one interlocked increment. All
/// other operations need the tracker's lock.
/// </summary>
internal sealed class SampleWindow(TimeSpan duration)
{
    private const int Count = 10;

    private readonly long _width = Math.Max(1, duration.Ticks / Count);
    private readonly Bucket[] _buckets = [.. Enumerable.Range(0, Count).Select(_ => new Bucket())];
    private Bucket _current = new();

    /// <summary>Counts a success, lock-free. False if the current bucket is over and <see cref="Roll"/> must be called first.</summary>
    public bool TryCountSuccess(TimeSpan now)
    {
        var bucket = Volatile.Read(ref _current);
        if (now.Ticks >= Volatile.Read(ref bucket.End))
            return false;
        // The bucket could be reused here only if a whole window passed between these two lines. The success would then count at the later time.
        Interlocked.Increment(ref bucket.Successes);
        return true;
    }

    public void CountFailure(TimeSpan now)
    {
        Roll(now);
        _current.Failures++;
    }

    public (int Samples, int Failures) Sum(TimeSpan now)
    {
        Roll(now);
        int samples = 0, failures = 0;
        foreach (var bucket in _buckets)
        {
            if (bucket.End <= _current.End - Count * _width)
                continue;
            samples += Volatile.Read(ref bucket.Successes) + bucket.Failures;
            failures += bucket.Failures;
        }

        return (samples, failures);
    }

    /// <summary>
    /// Makes the bucket of <paramref name="now"/> the current one. A time that another thread read slightly earlier stays in the current bucket.
    /// </summary>
    public void Roll(TimeSpan now)
    {
        if (now.Ticks < _current.End)
            return;
        var index = now.Ticks / _width;
        var bucket = _buckets[index % Count];
        bucket.Clear();
        Volatile.Write(ref bucket.End, (index + 1) * _width);
        Volatile.Write(ref _current, bucket);
    }

    public void Clear()
    {
        foreach (var bucket in _buckets)
            bucket.Clear();
    }

    private sealed class Bucket
    {
        public long End;
        public int Successes;
        public int Failures;

        public void Clear()
        {
            Volatile.Write(ref Successes, 0);
            Failures = 0;
        }
    }
}
