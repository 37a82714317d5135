namespace HaKit.Availability;

/// <summary>
/// Records the times at which an endpoint was up and down. Thread-safe; a transition holds a lock for a few instructions. The totals cover the whole time.
/// Individual outages are kept up to the capacity.
/// </summary>
public sealed class UptimeHistory
{
    private readonly Lock _lock = new();
    private readonly TimeSpan _start;
    private readonly int _capacity;
    private readonly Queue<Outage> _outages = new();
    private readonly Queue<TimeSpan> _uptimes = new();
    private TimeSpan _since, _remembered, _up, _down;
    private long _failures, _repairs;
    private bool _isUp;

    /// <summary>Starts recording.</summary>
    /// <param name="start">The start, on a monotonic clock of the caller. Use the same clock for all histories that are compared.</param>
    /// <param name="up">The initial state; true for up. Default true.</param>
    /// <param name="capacity">The number of the latest outages that are kept individually, at least 1. Default 1,024.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="capacity"/> is less than 1.</exception>
    public UptimeHistory(TimeSpan start, bool up = true, int capacity = 1024)
    {
        _capacity = Guard.AtLeast(1, capacity);
        _start = _since = _remembered = start;
        _isUp = up;
    }

    /// <summary>Records the state from now on. Has no effect when the state does not change.</summary>
    /// <param name="at">The time. A time before the last transition counts as the time of that transition.</param>
    /// <param name="up">True for up.</param>
    public void Record(TimeSpan at, bool up)
    {
        lock (_lock)
        {
            if (up == _isUp)
                return;
            if (at < _since)
                at = _since;
            if (_isUp)
                EndUptime(at);
            else
                EndOutage(at);
            _isUp = up;
            _since = at;
        }
    }

    /// <summary>Gets the time since which the endpoint is down; null while it is up.</summary>
    public TimeSpan? DownSince
    {
        get
        {
            lock (_lock)
                return _isUp ? null : _since;
        }
    }

    /// <summary>Returns the summary up to now. The current interval counts as censored: its end is not known yet.</summary>
    /// <param name="now">The time. A time before the last transition counts as the time of that transition.</param>
    public UptimeSummary Summarize(TimeSpan now)
    {
        lock (_lock)
        {
            var current = now > _since ? now - _since : TimeSpan.Zero;
            var outages = new List<Outage>(_outages);
            if (!_isUp)
                outages.Add(new Outage(_since, _since + current));
            var uptimes = new List<Lifetime>(_uptimes.Count + 1);
            foreach (var uptime in _uptimes)
                uptimes.Add(new Lifetime(uptime.TotalSeconds, true));
            if (_isUp)
                uptimes.Add(new Lifetime(current.TotalSeconds, false));
            return new UptimeSummary
            {
                Start = _start,
                Now = _since + current,
                IsUp = _isUp,
                Since = _since,
                Uptime = _isUp ? _up + current : _up,
                Downtime = _isUp ? _down : _down + current,
                Failures = _failures,
                Repairs = _repairs,
                Remembered = _remembered,
                Outages = outages,
                Uptimes = uptimes,
            };
        }
    }

    private void EndUptime(TimeSpan at)
    {
        _up += at - _since;
        _failures++;
        if (_uptimes.Count == _capacity)
            _uptimes.Dequeue();
        _uptimes.Enqueue(at - _since);
    }

    private void EndOutage(TimeSpan at)
    {
        _down += at - _since;
        _repairs++;
        if (_outages.Count == _capacity)
            _remembered = _outages.Dequeue().End;
        _outages.Enqueue(new Outage(_since, at));
    }
}

/// <summary>One period down, on the clock of its history.</summary>
/// <param name="Start">The start of the outage.</param>
/// <param name="End">The end of the outage, or the time of the summary.</param>
public readonly record struct Outage(TimeSpan Start, TimeSpan End)
{
    /// <summary>Gets the duration of the outage.</summary>
    public TimeSpan Duration => End - Start;
}

/// <summary>The state of an <see cref="UptimeHistory"/> at one time. Immutable and thread-safe.</summary>
public sealed record UptimeSummary
{
    internal UptimeSummary()
    {
    }

    /// <summary>Gets the start of recording.</summary>
    public TimeSpan Start { get; internal init; }

    /// <summary>Gets the time of the summary.</summary>
    public TimeSpan Now { get; internal init; }

    /// <summary>Gets whether the endpoint was up at the time of the summary.</summary>
    public bool IsUp { get; internal init; }

    /// <summary>Gets the time since which the endpoint has its current state.</summary>
    public TimeSpan Since { get; internal init; }

    /// <summary>Gets the total time up, including the current interval.</summary>
    public TimeSpan Uptime { get; internal init; }

    /// <summary>Gets the total time down, including the current interval.</summary>
    public TimeSpan Downtime { get; internal init; }

    /// <summary>Gets the number of completed intervals up, which is the number of failures.</summary>
    public long Failures { get; internal init; }

    /// <summary>Gets the number of completed intervals down, which is the number of repairs.</summary>
    public long Repairs { get; internal init; }

    /// <summary>Gets the time since which every outage is listed individually.</summary>
    public TimeSpan Remembered { get; internal init; }

    /// <summary>Gets the latest outages, in order, with the current one last.</summary>
    public required IReadOnlyList<Outage> Outages { get; init; }

    /// <summary>
    /// Gets the durations of the latest intervals up in seconds, with the current one last and censored. They are the input of <see cref="KaplanMeier"/>.
    /// </summary>
    public required IReadOnlyList<Lifetime> Uptimes { get; init; }

    /// <summary>Gets the share of the time that the endpoint was up; null before any time has passed.</summary>
    public AvailabilityRatio? Observed => Uptime + Downtime > TimeSpan.Zero ? AvailabilityRatio.Ratio(Uptime.Ticks, Downtime.Ticks) : null;

    /// <summary>
    /// Gets the mean time to failure: time up divided by failures; null without a failure. A censored interval counts as time, but not as a failure.
    /// </summary>
    public TimeSpan? Mttf => Failures > 0 ? Uptime / Failures : null;

    /// <summary>Gets the mean time to repair: time down divided by repairs; null without a repair.</summary>
    public TimeSpan? Mttr => Repairs > 0 ? Downtime / Repairs : null;

    /// <summary>Returns the bounds of the availability; see <see cref="Estimate.AvailabilityBounds"/>.</summary>
    /// <param name="confidence">Strictly between 0 and 1; 0.95 by default.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="confidence"/> is NaN or outside its range.</exception>
    public AvailabilityInterval Bounds(double confidence = 0.95) =>
        Estimate.AvailabilityBounds(Uptime.Ticks, Downtime.Ticks, Failures, Repairs, confidence);

    /// <summary>Returns the bounds of the mean time to failure; null before any time up.</summary>
    /// <inheritdoc cref="Bounds" path="/param"/>
    /// <inheritdoc cref="Bounds" path="/exception"/>
    public DurationInterval? MttfBounds(double confidence = 0.95) => DurationInterval.FromTotals(Uptime, Failures, confidence);

    /// <summary>Returns the bounds of the mean time to repair; null before any time down.</summary>
    /// <inheritdoc cref="Bounds" path="/param"/>
    /// <inheritdoc cref="Bounds" path="/exception"/>
    public DurationInterval? MttrBounds(double confidence = 0.95) => DurationInterval.FromTotals(Downtime, Repairs, confidence);
}

/// <summary>Two-sided bounds on a mean duration; immutable.</summary>
/// <param name="Lower">The lower bound.</param>
/// <param name="Upper">The upper bound. Null if the data give no upper limit.</param>
/// <param name="Confidence">The probability that both bounds hold.</param>
public readonly record struct DurationInterval(TimeSpan Lower, TimeSpan? Upper, double Confidence)
{
    internal static DurationInterval? FromTotals(TimeSpan total, long ended, double confidence)
    {
        Guard.OpenProbability(confidence);
        if (total <= TimeSpan.Zero)
            return null;
        var bounds = Estimate.MtbfBounds(total.Ticks, ended, confidence);
        TimeSpan? upper = double.IsFinite(bounds.Upper) ? Numerics.Precise.FromTicks(bounds.Upper) : null;
        return new DurationInterval(Numerics.Precise.FromTicks(bounds.Lower), upper, confidence);
    }
}
