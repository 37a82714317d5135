namespace HaKit.Estimates;

/// <summary>
/// Computes a timeout from the endpoint's recent times: a multiple of a high quantile, within bounds. The upper bound applies until enough times are known. An
/// attempt that timed out must be recorded with its waiting time; otherwise the timeout would be computed from fast answers only. Thread-safe; reading is one
/// volatile read.
/// </summary>
internal sealed class LearnedTimeout
{
    private const int TuneEvery = 64;

    // The quantile is computed again after this many recorded times, so that a lower value takes effect.
    private const int RenewEvery = 16;

    // An answer that came after the timeout counts until this many later times have been recorded. If the endpoint has become slow, this number of slow answers
    // raises the quantile.
    private const int LateCounts = 32;

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
    private long _afterLate;
    private long _lateUntil;

    public LearnedTimeout(TimeSpan min, TimeSpan max, double factor = 3, double quantile = 0.99, int minSamples = 20)
    {
        (_min, _max, _factor, _quantile, _minSamples) = (min, max, factor, quantile, minSamples);
        _current = max.Ticks;
    }

    /// <summary>Gets the timeout for the next attempt.</summary>
    public TimeSpan Current => TimeSpan.FromTicks(Volatile.Read(ref _current));

    /// <summary>
    /// Gets <see cref="Current"/>, or a longer timeout while recent answers show that <see cref="Current"/> is too short: an answer came after it. Such an
    /// answer proves that the endpoint was slow and not silent, so the timeout grows at once, even above the upper bound.
    /// </summary>
    public TimeSpan CurrentForAnswers =>
        _times.Count < Volatile.Read(ref _lateUntil) && Volatile.Read(ref _afterLate) is var longer && longer > Volatile.Read(ref _current) ? new TimeSpan(longer) : Current;

    /// <summary>Gets whether <see cref="Current"/> was computed from the endpoint's times.</summary>
    public bool IsLearned => Volatile.Read(ref _known) != 0;

    /// <summary>Gets the time within which this share of the recent attempts were answered. Null until enough times are known.</summary>
    public TimeSpan? Quantile(double share) => IsLearned ? _times.Quantile(share) : null;

    /// <summary>
    /// Gets the same as <see cref="Quantile"/>, for one share that is read often. The value is computed again only after a recorded time above the known
    /// quantile, or after several other recorded times.
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

    /// <summary>Records a time.</summary>
    /// <param name="time">The time.</param>
    /// <param name="isAnswer">True if an answer came after this time. False if the attempt or probe was still silent then, or if this does not matter.</param>
    public void Record(TimeSpan time, bool isAnswer = false)
    {
        var count = _times.Record(time);
        if (isAnswer && time.Ticks > Volatile.Read(ref _current))
        {
            Volatile.Write(ref _afterLate, (time * _factor).Ticks);
            Volatile.Write(ref _lateUntil, count + LateCounts);
        }
        if (count % RenewEvery == 0 || time.Ticks > Volatile.Read(ref _atShare))
            Volatile.Write(ref _atShare, 0);
        if (count < _minSamples)
            return;
        // A time above the known quantile may raise the quantile, so it is computed at once. A lower quantile is less urgent.
        var known = Volatile.Read(ref _known);
        if (known == 0 || count % TuneEvery == 0 || time.Ticks > known)
            Tune();
    }

    private void Tune()
    {
        var known = _times.Quantile(_quantile);
        var learned = known * _factor;
        Volatile.Write(ref _current, Math.Max(_min.Ticks, Math.Min(learned.Ticks, _max.Ticks)));
        Volatile.Write(ref _known, known.Ticks); // after the value, because a reader that finds the timeout learned reads the value next
    }
}

/// <summary>
/// Keeps the distribution of an endpoint's recent times in fixed memory: eight buckets for each doubling, from 1 ms to 12 days. So a quantile is at most 9.1 %
/// above the true quantile, and never below. Every 512 samples, all weights are halved. So the weight of old times depends on the number of later samples, and
/// no time is forgotten while there is no traffic. Thread-safe and lock-free.
/// </summary>
internal sealed class RecentTimes
{
    private const int PerDoubling = 8;
    private const int Buckets = 30 * PerDoubling + 1;
    private const int HalveEvery = 512;

    // A sample starts with the weight 64, so that its weight falls over six halvings and is not 0 after the first.
    private const int Weight = 64;

    private readonly int[] _weights = new int[Buckets];
    private long _count;

    /// <summary>Gets the number of all samples ever recorded.</summary>
    public long Count => Volatile.Read(ref _count);

    public long Record(TimeSpan time)
    {
        Interlocked.Add(ref _weights[Bucket(time.TotalMilliseconds)], Weight);
        var count = Interlocked.Increment(ref _count);
        if (count % HalveEvery == 0)
            Halve();
        return count;
    }

    /// <summary>Gets the upper edge of the bucket in which this share of the weight is reached. Zero if nothing was recorded.</summary>
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
