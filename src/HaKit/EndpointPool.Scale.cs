using HaKit.Attempts;
using HaKit.Estimates;
using HaKit.Limits;
using HaKit.Telemetry;

namespace HaKit;

/// <content>How loaded the pool is.</content>
public sealed partial class EndpointPool
{
    private static readonly TimeSpan PaceHolds = TimeSpan.FromSeconds(10);

    private readonly Lock _pace = new();
    private (TimeSpan At, long Answers) _paceBefore;
    private (TimeSpan At, long Answers) _paceSince;
    private ITimer? _scaleTimer;
    private int? _wanted;

    /// <summary>How loaded the pool is now, and how many endpoints it wants.</summary>
    public ScaleSignal MeasureLoad()
    {
        var now = _clock.Now;
        var scale = Options.Scale;
        var members = _engine.Snapshot.Members;
        var loads = new EndpointLoad[members.Length];
        double used = 0, serving = 0, weights = 0;
        var measured = false;
        var inFlight = 0;
        for (var i = 0; i < members.Length; i++)
        {
            var member = members[i];
            var load = new EndpointLoad(member.Endpoint.Name, member.InFlight, UtilizationOf(member, scale, now), member.Health.State.Admits(now));
            loads[i] = load;
            inFlight += load.InFlight;
            weights += member.Endpoint.Weight;
            measured |= load.Utilization is not null;
            // What still runs on one that no longer serves has to run elsewhere soon.
            used += (load.Utilization ?? 0) * member.Endpoint.Weight;
            if (load.Serves)
                serving += member.Endpoint.Weight;
        }
        var waiting = _engine.Queue.Count;
        // One that waits will need what one in flight needs.
        var demand = inFlight == 0 ? used : used * (inFlight + waiting) / inFlight;
        return new ScaleSignal
        {
            Endpoints = loads,
            InFlight = inFlight,
            Waiting = waiting,
            QueueWait = waiting == 0 ? TimeSpan.Zero : Pace(members, now) is var pace and > 0 ? TimeSpan.FromSeconds(waiting / pace) : null,
            Utilization = measured && serving > 0 ? used / serving : null,
            WantedEndpoints = measured ? Math.Max(1, (int)Math.Ceiling(demand / scale.TargetUtilization / (weights / members.Length) - 1e-9)) : null,
        };
    }

    private static double? UtilizationOf(EndpointState member, ScaleOptions scale, TimeSpan now)
    {
        double? fullest = scale.TargetInFlight is { } full ? member.InFlight / (full * member.Endpoint.Weight) : null;
        if (member.Limiter != Limiter.Unlimited)
            fullest = Math.Max(fullest ?? 0, member.Limiter.Utilization(now));
        if (member.AccountLimiter != Limiter.Unlimited)
            fullest = Math.Max(fullest ?? 0, member.AccountLimiter.Utilization(now));
        if (member.ReportedLoad is { Capacity: > 0 and var capacity } reported)
            fullest = Math.Max(fullest ?? 0, (double)(reported.Running + reported.Waiting) / capacity);
        return fullest;
    }

    // Successes per second over the current stretch and the one before it, each of ten seconds or whatever lies between two looks.
    private double Pace(EndpointState[] members, TimeSpan now)
    {
        var answers = members.Sum(m => m.Successes);
        lock (_pace)
        {
            var (since, before) = _paceBefore;
            if (now - _paceSince.At >= PaceHolds)
                (_paceBefore, _paceSince) = (_paceSince, (now, answers));
            return now > since ? Math.Max(0, answers - before) / (now - since).TotalSeconds : 0;
        }
    }

    private void WatchLoad()
    {
        lock (_pace)
        {
            _scaleTimer?.Dispose();
            _scaleTimer = null;
            if (Options.Scale.Interval is not { } interval)
                return;
            var flow = ExecutionContext.IsFlowSuppressed() ? default : ExecutionContext.SuppressFlow();
            using (flow)
                _scaleTimer = _clock.Time.CreateTimer(static pool => ((EndpointPool)pool!).LookAtLoad(), this, interval, interval);
        }
    }

    private void LookAtLoad()
    {
        var signal = MeasureLoad();
        if (signal.WantedEndpoints == _wanted)
            return;
        _wanted = signal.WantedEndpoints;
        PoolLog.ScaleChanged(_log, Name, signal.WantedEndpoints, signal.InFlight, signal.Waiting);
        if (Events.AreWatched)
            Events.Publish(new ScaleChanged { Pool = Name, At = Events.Now, Signal = signal });
    }
}
