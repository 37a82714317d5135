namespace HaKit.Availability;

/// <summary>
/// Counts successes and failures in a ring of time buckets, without locks or allocations: one compare-and-swap per
/// outcome. Thread-safe. A reader gets a consistent count of each bucket, but reads the buckets one after another.
/// </summary>
/// <remarks>
/// A fine ring serves the short windows and a coarse ring the longer ones; counts that the fine ring overwrites move to the coarse ring. Each
/// counter contains the number of its bucket. Therefore an idle ring needs no cleanup and never returns old counts as new ones.
/// </remarks>
public sealed class OutcomeCounters
{
    private readonly Ring _ring;

    /// <summary>Creates counters for a given period.</summary>
    /// <param name="horizon">From <paramref name="resolution"/> to 3,660 days; 30 days by default.</param>
    /// <param name="resolution">Width of a fine bucket, 1 s to 1 h; 10 s by default. A window is counted to within one bucket of its old end.</param>
    /// <exception cref="ArgumentOutOfRangeException">A duration is outside its range.</exception>
    /// <remarks>The fine ring holds 540 buckets (an hour and a half at 10 s), the coarse one buckets 60 times as wide: about 80 KB for 30 days.</remarks>
    public OutcomeCounters(TimeSpan? horizon = null, TimeSpan? resolution = null)
    {
        var width = resolution ?? TimeSpan.FromSeconds(10);
        ArgumentOutOfRangeException.ThrowIfLessThan(width, TimeSpan.FromSeconds(1), nameof(resolution));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(width, TimeSpan.FromHours(1), nameof(resolution));
        Horizon = horizon ?? TimeSpan.FromDays(30);
        ArgumentOutOfRangeException.ThrowIfLessThan(Horizon, width, nameof(horizon));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Horizon, TimeSpan.FromDays(3660), nameof(horizon));
        const int fine = 540, factor = 60;
        var buckets = Horizon.Ticks / width.Ticks + 2;
        var older = buckets > fine ? new Ring(width.Ticks * factor, (int)(buckets / factor) + 2, null) : null;
        _ring = new Ring(width.Ticks, (int)Math.Min(buckets, fine), older);
    }

    /// <summary>Gets the longest period that the counters cover.</summary>
    public TimeSpan Horizon { get; }

    /// <summary>Counts one outcome.</summary>
    /// <param name="now">The time since a fixed origin that the caller chooses, on a monotonic clock. A negative time counts as zero.</param>
    /// <param name="success">True if the call succeeded.</param>
    public void Record(TimeSpan now, bool success) => _ring.Add(Math.Max(0, now.Ticks), success, 1);

    /// <summary>Returns the counts of the last window, up to and including now.</summary>
    /// <param name="now">The time, on the clock of <see cref="Record"/>.</param>
    /// <param name="window">The window; greater than zero. Times before <see cref="Horizon"/> are not counted.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="window"/> is zero or negative.</exception>
    public OutcomeCount Count(TimeSpan now, TimeSpan window)
    {
        Guard.Positive(window);
        var end = Math.Max(0, now.Ticks);
        var start = end - Math.Min(window.Ticks, Horizon.Ticks);
        long good = 0, failed = 0;
        for (var ring = _ring; ring is not null; ring = ring.Older)
            ring.Sum(start, end, ref good, ref failed);
        return new OutcomeCount(good, failed);
    }

    /// <summary>Bucket i holds two words, successes and failures. Each word contains the bucket's number (28 bits) and the count (36 bits).</summary>
    private sealed class Ring(long width, int length, Ring? older)
    {
        private const int CountBits = 36;
        private const long CountMask = (1L << CountBits) - 1;
        private const long TagMask = (1L << (64 - CountBits)) - 1;
        private readonly long[] _words = new long[2 * length];

        public Ring? Older => older;

        public void Add(long time, bool success, long count)
        {
            var bucket = time / width;
            ref var word = ref _words[2 * (int)(bucket % length) + (success ? 0 : 1)];
            var seen = Volatile.Read(ref word);
            while (true)
            {
                var age = (bucket - (seen >> CountBits)) & TagMask;
                var current = age == 0;
                if (age > TagMask / 2)
                {
                    // The slot already belongs to a later bucket, because this outcome is late by a whole turn of the ring.
                    older?.Add(time, success, count);
                    return;
                }

                var next = current ? seen + count : (bucket << CountBits) | count;
                var found = Interlocked.CompareExchange(ref word, next, seen);
                if (found == seen)
                {
                    if (!current && older is not null)
                        Retire(seen, bucket, success);
                    return;
                }

                seen = found;
            }
        }

        public void Sum(long start, long end, ref long good, ref long failed)
        {
            // A bucket counts if it began within the window, so at most one bucket's width is missing at the start of the window.
            var newest = end / width;
            var oldest = start < 0 ? 0 : (start + width - 1) / width;
            for (var i = 0; i < _words.Length; i++)
            {
                var word = Volatile.Read(ref _words[i]);
                if ((word & CountMask) == 0)
                    continue;
                var bucket = Unfold(word, newest);
                if (bucket < oldest || bucket > newest)
                    continue;
                if ((i & 1) == 0)
                    good += word & CountMask;
                else
                    failed += word & CountMask;
            }
        }

        private void Retire(long word, long newest, bool success)
        {
            var count = word & CountMask;
            if (count > 0)
                older!.Add(Unfold(word, newest) * width, success, count);
        }

        /// <summary>Returns the full number of a bucket from its tag: the latest number with that tag that is not after the newest bucket.</summary>
        private static long Unfold(long word, long newest) => newest - ((newest - (word >> CountBits)) & TagMask);
    }
}

/// <summary>The outcomes of a window.</summary>
/// <param name="Successes">The number of successful calls.</param>
/// <param name="Failures">The number of failed calls.</param>
public readonly record struct OutcomeCount(long Successes, long Failures)
{
    /// <summary>Gets the number of all calls.</summary>
    public long Total => Successes + Failures;

    /// <summary>Gets the delivered availability, successes / total; null without calls.</summary>
    public AvailabilityRatio? Delivered => Total == 0 ? null : AvailabilityRatio.Ratio(Successes, Failures);

    /// <summary>Returns the failure ratio divided by the target's error budget; 0 without calls.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="target"/> is 100 %.</exception>
    public double BurnRate(AvailabilityRatio target) => HaKit.Availability.BurnRate.FromErrorRatio(target, Total == 0 ? 0 : (double)Failures / Total);
}
