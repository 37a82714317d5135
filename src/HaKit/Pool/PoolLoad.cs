using HaKit.Attempts;
using HaKit.Failover;
using HaKit.Limits;

namespace HaKit.Pool;

/// <summary>
/// Measures the load of the pool and how many endpoints this load needs. With <see cref="ScaleOptions.Interval"/> it also checks regularly and reports
/// changes. Its lock guards the rate of answers and the interval. Thread-safe.
/// </summary>
internal sealed class PoolLoad : IDisposable
{
    private static readonly TimeSpan StretchOfPace = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private readonly PoolClock _clock;
    private readonly CurrentOptions _options;
    private readonly CurrentSnapshot _snapshot;
    private readonly WaitQueue _queue;
    private readonly PoolJournal _journal;
    private readonly ITimer _timer;
    private (TimeSpan At, long Answers) _previous;
    private (TimeSpan At, long Answers) _current;
    private TimeSpan? _interval;
    private int? _wanted;

    public PoolLoad(PoolClock clock, CurrentOptions options, CurrentSnapshot snapshot, WaitQueue queue, PoolJournal journal)
    {
        (_clock, _options, _snapshot, _queue, _journal) = (clock, options, snapshot, queue, journal);
        _timer = clock.Time.NewTimer(static load => ((PoolLoad)load!).CheckForChange(), this);
    }

    public ScaleSignal Measure()
    {
        var now = _clock.Now;
        var scale = _options.Value.Scale;
        var members = _snapshot.Value.Members;
        var loads = Array.ConvertAll(members, m => new EndpointLoad(m.Endpoint.Name, m.InFlight, UtilizationOf(m, scale, now), m.Health.State.Admits(now)));
        double used = 0, serving = 0, weights = 0;
        var isMeasured = false;
        var inFlight = 0;
        for (var i = 0; i < members.Length; i++)
        {
            var (load, weight) = (loads[i], members[i].Endpoint.Weight);
            inFlight += load.InFlight;
            weights += weight;
            isMeasured |= load.Utilization is not null;
            // Attempts on an endpoint that no longer serves will soon run on other endpoints.
            used += (load.Utilization ?? 0) * weight;
            if (load.Serves)
                serving += weight;
        }
        var waiting = _queue.Count;
        // A waiting call will need as much as a call in flight.
        var demand = inFlight == 0 ? used : used * (inFlight + waiting) / inFlight;
        return new ScaleSignal
        {
            Endpoints = loads,
            InFlight = inFlight,
            Waiting = waiting,
            QueueWait = QueueWait(waiting, members, now),
            Utilization = isMeasured && serving > 0 ? used / serving : null,
            WantedEndpoints = isMeasured ? Math.Max(1, (int)Math.Ceiling(demand / scale.TargetUtilization / (weights / members.Length) - 1e-9)) : null,
        };
    }

    /// <summary>
    /// Checks for changes at the interval of the current options. The same interval continues, so that changes of members that come more often do not put off
    /// the check.
    /// </summary>
    public void UseOptions()
    {
        lock (_gate)
        {
            if (_options.Value.Scale.Interval == _interval)
                return;
            _interval = _options.Value.Scale.Interval;
            var period = _interval ?? Timeout.InfiniteTimeSpan;
            _timer.Change(period, period);
        }
    }

    public void Dispose() => _timer.Dispose();

    private static double? UtilizationOf(EndpointState member, ScaleOptions scale, TimeSpan now)
    {
        double? fullest = scale.TargetInFlight is { } full ? member.InFlight / (full * member.Endpoint.Weight) : null;
        if (member.Limiter != Limiter.Unlimited)
            fullest = Math.Max(fullest ?? 0, member.Limiter.Utilization(now));
        if (member.AccountLimiter != Limiter.Unlimited)
            fullest = Math.Max(fullest ?? 0, member.AccountLimiter.Utilization(now));
        if (member.ReportedLoad is { Capacity: > 0 and var capacity } reported)
            fullest = Math.Max(fullest ?? 0, ((double)reported.Running + reported.Waiting) / capacity);
        return fullest;
    }

    // Little's law: how long the last call in the queue waits at the recent rate.
    private TimeSpan? QueueWait(int waiting, EndpointState[] members, TimeSpan now)
    {
        if (waiting == 0)
            return TimeSpan.Zero;
        return AnswersPerSecond(members, now) is var pace and > 0 ? TimeSpan.FromSeconds(waiting / pace) : null;
    }

    // The rate is measured over the current period and the previous period. Each period lasts ten seconds, or the time between two checks.
    private double AnswersPerSecond(EndpointState[] members, TimeSpan now)
    {
        var answers = members.Sum(static m => m.Successes);
        lock (_gate)
        {
            var (since, before) = _previous;
            if (now - _current.At >= StretchOfPace)
                (_previous, _current) = (_current, (now, answers));
            return now > since ? Math.Max(0, answers - before) / (now - since).TotalSeconds : 0;
        }
    }

    private void CheckForChange()
    {
        var signal = Measure();
        if (signal.WantedEndpoints == _wanted)
            return;
        _wanted = signal.WantedEndpoints;
        _journal.RecordScale(signal);
    }
}
