namespace HaKit.Estimates;

/// <summary>
/// A timeout that follows the endpoint's own recent times: a multiple of a high quantile, within bounds, and the upper bound until enough
/// is known. Safe for concurrent use; reading is one volatile read. Record an attempt that was given up as the time it was waited for, or
/// the timeout learns from the quick ones only.
/// </summary>
internal sealed class LearnedTimeout
{
    private const int TuneEvery = 64;

    // How many times may pass before a quantile that has fallen is noticed.
    private const int RenewEvery = 16;

    private readonly RecentTimes _times = new();
    private readonly double _quantile;
    private readonly double _factor;
    private readonly TimeSpan _min;
    private readonly TimeSpan _max;
    private readonly int _minSamples;
    private long _current;
    private long _known;
    private double _share;
    private long _atShare;

    public LearnedTimeout(TimeSpan min, TimeSpan max, double factor = 3, double quantile = 0.99, int minSamples = 20)
    {
        (_min, _max, _factor, _quantile, _minSamples) = (min, max, factor, quantile, minSamples);
        _current = max.Ticks;
    }

    /// <summary>The timeout for the next attempt.</summary>
    public TimeSpan Current => TimeSpan.FromTicks(Volatile.Read(ref _current));

    public bool IsLearned => _times.Count >= _minSamples;

    /// <summary>The time within which this share of the recent attempts answered; <see langword="null"/> until enough is known.</summary>
    public TimeSpan? Quantile(double share) => IsLearned ? _times.Quantile(share) : null;

    /// <summary>
    /// As <see cref="Quantile"/>, for one share that is asked for again and again: worked out anew only after a time beyond the known quantile, or some others.
    /// </summary>
    public TimeSpan? UsualQuantile(double share)
    {
        if (!IsLearned)
            return null;
        var known = Volatile.Read(ref _atShare);
        if (known != 0 && Volatile.Read(ref _share) == share)
            return new TimeSpan(known);
        var quantile = _times.Quantile(share);
        Volatile.Write(ref _share, share);
        Volatile.Write(ref _atShare, quantile.Ticks);
        return quantile;
    }

    public void Record(TimeSpan time)
    {
        var count = _times.Record(time);
        if (count % RenewEvery == 0 || time.Ticks > Volatile.Read(ref _atShare))
            Volatile.Write(ref _atShare, 0);
        if (count < _minSamples)
            return;
        // A time beyond the known quantile may move it at once; that it has fallen may wait.
        if (count % TuneEvery == 0 || time.Ticks > Volatile.Read(ref _known))
            Tune();
    }

    private void Tune()
    {
        var known = _times.Quantile(_quantile);
        var learned = known * _factor;
        Volatile.Write(ref _known, known.Ticks);
        Volatile.Write(ref _current, Math.Max(_min.Ticks, Math.Min(learned.Ticks, _max.Ticks)));
    }
}

/// <summary>
/// The distribution of an endpoint's recent times in fixed memory: eight buckets to each doubling, from 1 ms to 17 min, so a quantile is at
/// most 9.1 % above the true one and never below. Every 512 samples all weights are halved: old times fade by how much was seen since, so
/// a quiet night forgets nothing. Safe for concurrent use, without locks.
/// </summary>
internal sealed class RecentTimes
{
    private const int PerDoubling = 8;
    private const int Buckets = 20 * PerDoubling + 1;
    private const int HalveEvery = 512;

    // A sample weighs 64, so that it fades over six halvings instead of vanishing in the first.
    private const int Weight = 64;

    private readonly int[] _weights = new int[Buckets];
    private long _count;

    /// <summary>All samples ever.</summary>
    public long Count => Volatile.Read(ref _count);

    public long Record(TimeSpan time)
    {
        Interlocked.Add(ref _weights[Bucket(time.TotalMilliseconds)], Weight);
        var count = Interlocked.Increment(ref _count);
        if (count % HalveEvery == 0)
            Halve();
        return count;
    }

    /// <summary>The upper edge of the bucket in which this share of the weight is reached; zero when nothing was recorded.</summary>
    public TimeSpan Quantile(double share)
    {
        long total = 0, sum = 0;
        for (var i = 0; i < Buckets; i++)
            total += Volatile.Read(ref _weights[i]);
        if (total == 0)
            return TimeSpan.Zero;
        var wanted = Math.Max(1, share * total);
        for (var i = 0; i < Buckets; i++)
        {
            sum += Volatile.Read(ref _weights[i]);
            if (sum >= wanted)
                return Edge(i);
        }

        return Edge(Buckets - 1);
    }

    private static int Bucket(double milliseconds) =>
        milliseconds <= 1 ? 0 : Math.Min(Buckets - 1, (int)Math.Ceiling(PerDoubling * Math.Log2(milliseconds)));

    private static TimeSpan Edge(int bucket) => TimeSpan.FromMilliseconds(Math.Pow(2, (double)bucket / PerDoubling));

    private void Halve()
    {
        foreach (ref var weight in _weights.AsSpan())
        {
            var now = Volatile.Read(ref weight);
            if (now > 0)
                Interlocked.Add(ref weight, -(now - now / 2));
        }
    }
}
