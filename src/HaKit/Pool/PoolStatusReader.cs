using HaKit.Attempts;
using HaKit.Failover;
using HaKit.Health;

namespace HaKit.Pool;

/// <summary>Reads the current status of the pool and of each endpoint. Has no side effects.</summary>
internal static class PoolStatusReader
{
    public static PoolStatus Read(string pool, PoolOwners owners)
    {
        var (clock, engine) = (owners.Clock, owners.Engine);
        var snapshot = engine.Snapshot;
        var (now, at) = (clock.Now, clock.Time.GetUtcNow());
        var endpoints = Array.ConvertAll(snapshot.Members, m => StatusOf(m, owners.Objective.DownSince(m.Health), now, at));
        // If the pool can connect to none of the admitted endpoints, none of them serves. They are not ejected, because the network of this replica may be at
        // fault.
        var isUnreachable = Array.TrueForAll(endpoints, static e => !e.Serves || e.Health.IsUnreachable) && Array.Exists(endpoints, static e => e.Serves);
        if (isUnreachable)
            endpoints = Array.ConvertAll(endpoints, e => e with { Serves = false, OutSince = e.OutSince ?? at - (now - e.Health.OutSince) });
        var serving = endpoints.Count(static e => e.Serves);
        var waiting = engine.Waiting.Read();
        return new PoolStatus
        {
            IsUnreachable = isUnreachable,
            Pool = pool,
            At = at,
            Now = now,
            Endpoints = endpoints,
            Serving = serving,
            OutageSince = serving == 0 ? OutageSince(owners.Heartbeats.OutageSince, endpoints, now, at) : null,
            LastAnsweredAt = endpoints.Max(static e => e.LastAnsweredAt),
            FirstTier = FirstInOrder(snapshot.Members.Select(static m => m.Endpoint.Tier), snapshot.FirstTier) ?? 0,
            ServingTier = FirstInOrder(endpoints.Where(static e => e.Serves).Select(static e => e.Endpoint.Tier), snapshot.FirstTier),
            Waiting = waiting.Count,
            MaxWaiting = engine.Queue.Capacity,
            OldestWait = waiting.OldestBegan is { } began ? NotNegative(now - began) : null,
            FirstGivesUpIn = waiting.FirstGivesUp is { } ends ? NotNegative(ends - now) : null,
            RetryBudget = engine.Budget.Level,
        };
    }

    private static EndpointStatus StatusOf(EndpointState member, TimeSpan? downSince, TimeSpan now, DateTimeOffset at)
    {
        var health = member.Health.State;
        var serves = health.Admits(now);
        return new EndpointStatus
        {
            Endpoint = member.Endpoint,
            Health = health,
            Now = now,
            Since = at - (now - health.Since),
            OutSince = serves ? null : at - (now - OutSinceOf(health, downSince ?? health.Since)),
            LastAnsweredAt = member.AnsweredAt is { } answered ? at - (now - answered) : null,
            Serves = serves,
            SlowStartShare = health.SlowStartShare(now),
            InFlight = member.InFlight,
            Attempts = member.Calls,
            Successes = member.Successes,
            Faults = member.Faults,
            AnswerTime = member.AnswerTime,
            StreamTimes = TimesOf(member, isStream: true),
            AnswerTimes = TimesOf(member, isStream: false),
            FailureEstimate = member.Failure.ProbabilityAt(now),
            Limits = LimitUse.Measure(member, now),
            Heartbeat = member.Heartbeat,
            ReportedLoad = member.ReportedLoad,
            LacksModel = member.LacksModel,
        };
    }

    // While the pool can reach no endpoint, an ejection is undone and decided again, so the endpoint was admitted for moments after it began to fail.
    private static TimeSpan OutSinceOf(HealthState health, TimeSpan downSince) =>
        health.Status is EndpointHealthStatus.Ejected or EndpointHealthStatus.Trial && health.OutSince < downSince ? health.OutSince : downSince;

    // Gets when the outage began. If an endpoint that is out is ejected again, the outage continues: the new ejection changes Since of the endpoint, but not
    // OutSince. So Since is used only if OutSince is null.
    private static DateTimeOffset? OutageSince(TimeSpan? began, EndpointStatus[] endpoints, TimeSpan now, DateTimeOffset at)
    {
        if (began is { } since)
            return at - (now - since);
        return endpoints.Length == 0 ? null : endpoints.Max(static e => e.OutSince ?? e.Since);
    }

    private static AnswerQuantiles? TimesOf(EndpointState member, bool isStream) =>
        member.Times.Quantile(isStream, 0.5) is { } median && member.Times.Quantile(isStream, 0.95) is { } p95 ? new(median, p95) : null;

    private static TimeSpan NotNegative(TimeSpan time) => time < TimeSpan.Zero ? TimeSpan.Zero : time;

    // Finds the first tier in selection's order: the promoted tier and the tiers after it, then the tiers before it.
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
