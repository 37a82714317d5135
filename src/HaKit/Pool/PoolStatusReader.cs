using HaKit.Attempts;
using HaKit.Failover;

namespace HaKit.Pool;

/// <summary>Reads how the pool and each of its endpoints is at one moment. Changes nothing.</summary>
internal static class PoolStatusReader
{
    public static PoolStatus Read(string pool, PoolClock clock, PoolSnapshot snapshot, FailoverEngine engine)
    {
        var (now, at) = (clock.Now, clock.Time.GetUtcNow());
        var endpoints = Array.ConvertAll(snapshot.Members, m => StatusOf(m, now, at));
        // When none of those that would take traffic can be reached, none of them serves: no ejection says so, because it may be our own network.
        var isUnreachable = Array.TrueForAll(endpoints, static e => !e.Serves || e.Health.IsUnreachable) && Array.Exists(endpoints, static e => e.Serves);
        if (isUnreachable)
            endpoints = Array.ConvertAll(endpoints, static e => e with { Serves = false });
        return new PoolStatus
        {
            IsUnreachable = isUnreachable,
            Pool = pool,
            At = at,
            Now = now,
            Endpoints = endpoints,
            Serving = endpoints.Count(static e => e.Serves),
            FirstTier = FirstInOrder(snapshot.Members.Select(static m => m.Endpoint.Tier), snapshot.FirstTier)!.Value,
            ServingTier = FirstInOrder(endpoints.Where(static e => e.Serves).Select(static e => e.Endpoint.Tier), snapshot.FirstTier),
            Waiting = engine.Queue.Count,
            RetryBudget = engine.Budget.Level,
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
            FailureEstimate = member.Failure.ProbabilityAt(now),
            Limits = LimitUse.Measure(member, now),
            Heartbeat = member.Heartbeat,
            ReportedLoad = member.ReportedLoad,
            LacksModel = member.LacksModel,
        };
    }

    // The order in which selection uses tiers: the promoted tier and those after it, then those before it.
    private static int? FirstInOrder(IEnumerable<int> tiers, int promoted)
    {
        int? best = null;
        foreach (var tier in tiers)
        {
            if (best is not { } known || (tier < promoted, tier).CompareTo((known < promoted, known)) < 0)
                best = tier;
        }

        return best;
    }
}
