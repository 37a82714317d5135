namespace HaKit.Batch.Running;

/// <summary>
/// Learns from the answers how many calls a batch makes at once, for endpoints without limits. The number doubles in each round of answers until answers are
/// throttled or take twice as long as in the best round; then it grows by one in each round. A throttled call reduces it by 30 %, at most once a second (as
/// <see cref="Limits.LimitOptions.AdaptiveConcurrency"/> does). Not thread-safe.
/// </summary>
internal sealed class BatchWindow(int initial, int most)
{
    private static readonly TimeSpan ShrinkEvery = TimeSpan.FromSeconds(1);
    private const double Shrink = 0.7;
    private const double TooSlow = 2;

    private double _limit = Math.Min(initial, most);
    private bool _isFirstGrowth = true;
    private bool _wasFull;
    private int _answers;
    private TimeSpan _times;
    private TimeSpan _best = TimeSpan.MaxValue;
    private TimeSpan? _shrunkAt;

    public int Limit => Math.Max(1, (int)_limit);

    /// <summary>Records that the whole window was in use. Only then do the answers show whether a larger window is better.</summary>
    public void RecordFull() => _wasFull = true;

    public void RecordServed(TimeSpan took)
    {
        _answers++;
        _times += took;
        if (_answers < Limit)
            return;
        var mean = _times / _answers;
        if (mean < _best)
            _best = mean;
        var isSlow = mean > TooSlow * _best;
        if (isSlow)
            _isFirstGrowth = false;
        else if (_wasFull)
            _limit = Math.Min(most, _isFirstGrowth ? _limit * 2 : _limit + 1);
        (_answers, _times, _wasFull) = (0, default, false);
    }

    /// <summary>Records that an endpoint throttled a call.</summary>
    public void RecordThrottle(TimeSpan now)
    {
        if (_shrunkAt is { } at && now - at < ShrinkEvery)
            return;
        (_shrunkAt, _isFirstGrowth) = (now, false);
        _limit = Math.Max(1, _limit * Shrink);
    }

    /// <summary>Records that the pool had no capacity for more than this number of calls.</summary>
    public void RecordPoolFull(int underWay)
    {
        _isFirstGrowth = false;
        _limit = Math.Clamp(underWay, 1, _limit);
    }
}
