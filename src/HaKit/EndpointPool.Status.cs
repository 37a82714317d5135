using HaKit.Attempts;
using HaKit.Estimates;

namespace HaKit;

/// <content>How the pool is.</content>
public sealed partial class EndpointPool
{
    /// <summary>How the pool and each of its endpoints is at this moment. Reads only; costs about a microsecond for each endpoint.</summary>
    public PoolStatus GetStatus()
    {
        var (now, at) = (_clock.Now, _clock.Time.GetUtcNow());
        var snapshot = _engine.Snapshot;
        var endpoints = Array.ConvertAll(snapshot.Members, m => StatusOf(m, now, at));
        return new PoolStatus
        {
            Pool = Name,
            At = at,
            Now = now,
            Endpoints = endpoints,
            Serving = endpoints.Count(static e => e.Serves),
            FirstTier = InOrder(snapshot.Members.Select(static m => m.Endpoint.Tier), snapshot.FirstTier)!.Value,
            ServingTier = InOrder(endpoints.Where(static e => e.Serves).Select(static e => e.Endpoint.Tier), snapshot.FirstTier),
            Waiting = _engine.Queue.Count,
            RetryBudget = _engine.Budget.Level,
        };
    }

    private static EndpointStatus StatusOf(EndpointState member, TimeSpan now, DateTimeOffset at)
    {
        var health = member.Health.State;
        return new EndpointStatus
        {
            Endpoint = member.Endpoint,
            Health = health,
            Since = at - (now - health.Since),
            Serves = health.Admits(now),
            SlowStartShare = health.SlowStartShare(now),
            InFlight = member.InFlight,
            Attempts = member.Calls,
            Successes = member.Successes,
            Faults = member.Faults,
            AnswerTime = member.AnswerTime,
            FailureEstimate = member.Failure.At(now),
            Limits = LimitUse.Of(member, now),
            Heartbeat = member.Heartbeat,
            ReportedLoad = member.ReportedLoad,
        };
    }

    // The order of SelectionView: the promoted tier and those after it, then those before it.
    private static int? InOrder(IEnumerable<int> tiers, int first)
    {
        int? best = null;
        foreach (var tier in tiers)
            if (best is not { } known || (tier < first, tier).CompareTo((known < first, known)) < 0)
                best = tier;
        return best;
    }
}
