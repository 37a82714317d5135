namespace HaKit.Health;

/// <summary>The verdict of a failure detector about the probes so far.</summary>
internal enum DetectorVerdict
{
    Undecided,
    Up,
    Down,
}

/// <summary>Decides from the results of one endpoint's probes whether the endpoint is up. Not thread-safe; used by one loop.</summary>
internal interface IFailureDetector
{
    /// <summary>Records the result of one probe and returns the verdict about all of them.</summary>
    DetectorVerdict Observe(bool isHit, TimeSpan now);

    /// <summary>Records that probes begin again after a time in which none were sent. This time is no silence of the endpoint.</summary>
    void Resume(TimeSpan now);
}

/// <summary>
/// Decides by consecutive results: after a number of consecutive misses the endpoint is down, and after a number of consecutive hits it is up. With loss
/// probability p a wrong verdict comes every (1−pᵏ)/((1−p)pᵏ) probes; detection takes at most k intervals and one timeout.
/// </summary>
internal sealed class ConsecutiveMisses(int missesToDown, int hitsToUp) : IFailureDetector
{
    private int _misses;
    private int _hits;

    public DetectorVerdict Observe(bool isHit, TimeSpan now)
    {
        (_misses, _hits) = isHit ? (0, _hits + 1) : (_misses + 1, 0);
        if (_misses >= missesToDown)
            return DetectorVerdict.Down;
        return _hits >= hitsToUp ? DetectorVerdict.Up : DetectorVerdict.Undecided;
    }

    public void Resume(TimeSpan now)
    {
        // Only results count, so a time without results changes nothing.
    }
}

/// <summary>
/// Implements phi accrual (Hayashibara, Défago, Yared, Katayama, "The φ accrual failure detector", 2004). The suspicion φ is −log₁₀ of the probability that
/// the next hit is only late, given the endpoint's own history of intervals between hits. The normal tail is computed exactly, not by its logistic
/// approximation.
/// </summary>
internal sealed class PhiAccrual : IFailureDetector
{
    private readonly double[] _intervals;
    private readonly double _threshold;
    private readonly double _thresholdDeviations;
    private readonly double _minDeviation;
    private readonly double _firstInterval;
    private int _count;
    private int _next;
    private TimeSpan? _last;
    private bool _hasResumed;
    private double _mean;
    private double _deviation;

    /// <param name="threshold">The φ at which the endpoint counts as down; 8 means one wrong verdict in 10⁸ intervals.</param>
    /// <param name="firstInterval">The expected interval, used until there is a history. The expected deviation is a quarter of this interval.</param>
    /// <param name="minDeviation">The minimum deviation, so that a very regular history does not make the detector too sensitive.</param>
    /// <param name="window">The number of intervals to remember.</param>
    public PhiAccrual(double threshold, TimeSpan firstInterval, TimeSpan minDeviation, int window = 200)
    {
        _threshold = threshold;
        _thresholdDeviations = NormalTail.Quantile(threshold);
        _intervals = new double[window];
        (_firstInterval, _minDeviation) = (firstInterval.Ticks, minDeviation.Ticks);
        (_mean, _deviation) = (_firstInterval, Math.Max(_minDeviation, _firstInterval / 4));
    }

    /// <summary>Gets the time at which the suspicion reaches the threshold if no further hit comes. Null before the first hit.</summary>
    public TimeSpan? DownAt => _last is { } last ? last + TimeSpan.FromTicks((long)(_mean + _thresholdDeviations * _deviation)) : null;

    /// <summary>Computes φ for a given silence, mean and deviation of the intervals.</summary>
    public static double Phi(TimeSpan silence, TimeSpan mean, TimeSpan deviation) => NormalTail.Phi((silence - mean) / deviation);

    /// <summary>Gets the suspicion at the given time; 0 before the first hit.</summary>
    public double Phi(TimeSpan now) => _last is { } last ? NormalTail.Phi(((now - last).Ticks - _mean) / _deviation) : 0;

    /// <inheritdoc/>
    public DetectorVerdict Observe(bool isHit, TimeSpan now)
    {
        var isDown = Phi(now) >= _threshold;
        if (!isHit)
            return isDown ? DetectorVerdict.Down : DetectorVerdict.Undecided;
        // The silence during a failure is left out, because it is not an interval between two hits of a working endpoint. The time since a resumption is left
        // out too, because it did not begin with a hit.
        if (_last is { } last && !isDown && !_hasResumed)
            Learn((now - last).Ticks);
        _last = now;
        _hasResumed = false;
        return DetectorVerdict.Up;
    }

    /// <inheritdoc/>
    public void Resume(TimeSpan now)
    {
        if (_last is not null)
            (_last, _hasResumed) = (now, true);
    }

    private void Learn(double interval)
    {
        _intervals[_next] = interval;
        _next = (_next + 1) % _intervals.Length;
        if (_count < _intervals.Length)
            _count++;
        var known = _intervals.AsSpan(0, _count);
        double sum = 0, squares = 0;
        foreach (var value in known)
            sum += value;
        _mean = sum / _count;
        foreach (var value in known)
            squares += (value - _mean) * (value - _mean);
        var deviation = _count > 1 ? Math.Sqrt(squares / (_count - 1)) : _mean / 4;
        _deviation = Math.Max(_minDeviation, deviation);
    }
}
