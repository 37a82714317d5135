namespace HaKit.Health;

/// <summary>What a failure detector makes of the probes so far.</summary>
internal enum DetectorVerdict
{
    Undecided,
    Up,
    Down,
}

/// <summary>Decides from the answers of one endpoint's probes whether it is up. Used by one loop; not safe for concurrent use.</summary>
internal interface IFailureDetector
{
    /// <summary>Takes one probe's outcome and says what follows from all of them.</summary>
    DetectorVerdict Observe(bool isHit, TimeSpan now);
}

/// <summary>
/// So many misses in a row mean down, so many hits in a row mean up. With loss probability p a mistake comes every (1−pᵏ)/((1−p)pᵏ) probes;
/// detection takes at most k intervals and one timeout.
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
}

/// <summary>
/// Phi accrual (Hayashibara, Défago, Yared, Katayama, "The φ accrual failure detector", 2004): suspicion is −log₁₀ of the probability that
/// the next hit is merely late, by the endpoint's own history of intervals between hits. The normal tail is exact, not its logistic
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
    private double _mean;
    private double _deviation;

    /// <param name="threshold">The φ from which the endpoint is down; 8 is one mistake in 10⁸ intervals.</param>
    /// <param name="firstInterval">The interval to expect before there is a history; its deviation is taken as a quarter of it.</param>
    /// <param name="minDeviation">The least deviation, so that a very regular history does not make a detector that trips at a breath.</param>
    /// <param name="window">How many intervals are remembered.</param>
    public PhiAccrual(double threshold, TimeSpan firstInterval, TimeSpan minDeviation, int window = 200)
    {
        _threshold = threshold;
        _thresholdDeviations = NormalTail.Quantile(threshold);
        _intervals = new double[window];
        (_firstInterval, _minDeviation) = (firstInterval.Ticks, minDeviation.Ticks);
        (_mean, _deviation) = (_firstInterval, Math.Max(_minDeviation, _firstInterval / 4));
    }

    /// <summary>When suspicion reaches the threshold, if nothing more is heard; <see langword="null"/> before the first hit.</summary>
    public TimeSpan? DownAt => _last is { } last ? last + TimeSpan.FromTicks((long)(_mean + _thresholdDeviations * _deviation)) : null;

    /// <summary>φ for a given silence, mean and deviation of the intervals.</summary>
    public static double Phi(TimeSpan silence, TimeSpan mean, TimeSpan deviation) => NormalTail.Phi((silence - mean) / deviation);

    /// <summary>The suspicion at this time; 0 before the first hit.</summary>
    public double Phi(TimeSpan now) => _last is { } last ? NormalTail.Phi(((now - last).Ticks - _mean) / _deviation) : 0;

    /// <inheritdoc/>
    public DetectorVerdict Observe(bool isHit, TimeSpan now)
    {
        var isDown = Phi(now) >= _threshold;
        if (!isHit)
            return isDown ? DetectorVerdict.Down : DetectorVerdict.Undecided;
        // The silence of a failure is no interval between two hits of a living endpoint.
        if (_last is { } last && !isDown)
            Learn((now - last).Ticks);
        _last = now;
        return DetectorVerdict.Up;
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
