using HaKit.Attempts;
using HaKit.Faults;
using HaKit.Limits;
using HaKit.Selection;

namespace HaKit.Pool;

/// <summary>Calculates whether the pool can bear the loss of each of its failure domains. Has no side effects. Thread-safe.</summary>
internal sealed class PoolRedundancy(string pool, PoolClock clock, CurrentOptions options, CurrentSnapshot snapshot, TrafficMeter traffic, WaitQueue queue)
{
    private static readonly (RedundancyDomain Domain, FaultReach Reach, Func<FailureDomains, string?> NameOf)[] Reaches =
    [
        (RedundancyDomain.Key, FaultReach.Key, static d => d.KeyName),
        (RedundancyDomain.Account, FaultReach.Account, static d => d.Account),
        (RedundancyDomain.Provider, FaultReach.Provider, static d => d.Provider),
        (RedundancyDomain.Model, FaultReach.Model, static d => d.Model),
        (RedundancyDomain.Region, FaultReach.Region, static d => d.Region),
    ];

    /// <param name="demand">The demand. Null: the measured demand of the last minute, including waiting calls.</param>
    public RedundancyReport Report(PoolDemand? demand)
    {
        var now = clock.Now;
        var members = snapshot.Value.Members;
        var load = demand is null
            ? ReplayedLoad.As(traffic.CallsPerMinute(now) + queue.Count, traffic.CallsPerBucket(now))
            : ReplayedLoad.Random(demand.CallsPerMinute);
        var isMeasured = demand is null;
        demand ??= new PoolDemand(load.CallsPerMinute, traffic.TokensPerCall(now) ?? 0);
        var held = HeldTimes.Estimate(Array.ConvertAll(members, static m => new HeldSample(m.Successes, m.HeldSeconds)));
        var limiters = members.SelectMany(static m => new[] { m.Limiter, m.AccountLimiter }).Where(static l => l != Limiter.Unlimited).Distinct().ToList();
        var scene = new ReplayScene
        {
            Policy = new SelectionPolicy(options.Value.Selection, options.Value.CircuitBreaker.MaxBreakDuration),
            Load = load,
            EstimatedTokens = isMeasured ? traffic.EstimatedTokensPerCall(now) : demand.TokensPerCall,
            UsedTokens = demand.TokensPerCall,
            RunsBefore = !isMeasured,
            Limiters = [.. limiters.Select(l => l.Read(now))],
            Endpoints = [.. members.Select((m, i) => Replayed(m, limiters, held[i], now))],
        };
        var carrying = members.Select((m, i) => m.Health.State.Admits(now) ? Carrying(m, demand, held[i], now) : null).ToArray();
        var forecast = new LossForecast(scene, carrying);
        return new RedundancyReport
        {
            Pool = pool,
            Demand = demand,
            LostShareNow = forecast.CalculateLoss([]).LostShare,
            Domains =
            [
                .. DomainsOf(members).Select(d => LossOf(d.Domain, d.Name, d.Lost, members, forecast))
                    .OrderByDescending(static l => l.LostShare).ThenByDescending(static l => l.Utilization ?? double.PositiveInfinity).ThenBy(static l => l.Domain).ThenBy(static l => l.Name, StringComparer.Ordinal),
            ],
        };
    }

    private static DomainLoss LossOf(RedundancyDomain domain, string name, IReadOnlyCollection<EndpointState> lost, EndpointState[] members, LossForecast forecast)
    {
        var loss = forecast.CalculateLoss([.. lost.Select(m => Array.IndexOf(members, m))]);
        return new DomainLoss
        {
            Domain = domain,
            Name = name,
            Endpoints = [.. lost.Select(static m => m.Endpoint.Name)],
            LostShare = loss.LostShare,
            Utilization = double.IsFinite(loss.Utilization) ? loss.Utilization : null,
            Limit = loss.Limit,
            IsWholePool = lost.Count == members.Length,
        };
    }

    private ReplayedEndpoint Replayed(EndpointState member, List<Limiter> limiters, double held, TimeSpan now) => new(
        member.Endpoint.Tier >= snapshot.Value.FirstTier ? member.Endpoint.Tier : int.MaxValue / 2 + member.Endpoint.Tier,
        member.Endpoint.Weight,
        member.Health.State.Admits(now),
        held,
        member.InFlight,
        [.. new[] { limiters.IndexOf(member.Limiter), limiters.IndexOf(member.AccountLimiter) }.Where(static i => i >= 0)]);

    private static CarryingEndpoint Carrying(EndpointState member, PoolDemand demand, double held, TimeSpan now) => new(
        member.Endpoint.Tier,
        LimitsOf("", member.Limiter, demand, held / 60, now),
        member.AccountLimiter == Limiter.Unlimited ? null : member.AccountLimiter,
        LimitsOf("account.", member.AccountLimiter, demand, held / 60, now));

    private static List<CallLimit> LimitsOf(string prefix, Limiter limiter, PoolDemand demand, double heldMinutes, TimeSpan now)
    {
        var limits = new List<CallLimit>();
        if (limiter == Limiter.Unlimited)
            return limits;
        var levels = limiter.Levels(now);
        if (levels.RequestsLimit is { } requests)
            limits.Add(new(prefix + "requests", requests, 1));
        if (levels.TokensLimit is { } tokens && demand.TokensPerCall > 0)
            limits.Add(new(prefix + "tokens", tokens / demand.TokensPerCall, 1));
        if (levels.ConcurrencyLimit is { } places && heldMinutes > 0)
            limits.Add(new(prefix + "concurrency", places, heldMinutes));
        return limits;
    }

    // Gets the domains that several endpoints share. The rule is the same as for a fault with that reach.
    private static IEnumerable<(RedundancyDomain Domain, string Name, IReadOnlyCollection<EndpointState> Lost)> DomainsOf(EndpointState[] members)
    {
        foreach (var member in members)
            yield return (RedundancyDomain.Endpoint, member.Endpoint.Name, [member]);
        foreach (var (domain, reach, nameOf) in Reaches)
        {
            foreach (var group in members.Where(m => nameOf(m.Endpoint.Domains) is not null).GroupBy(m => (Name: nameOf(m.Endpoint.Domains)!, Of: domain == RedundancyDomain.Provider ? null : m.Endpoint.Domains.Provider)))
            {
                var first = group.First();
                yield return (domain, group.Key.Name, [.. members.Where(m => m == first || m.Endpoint.Domains.Shares(first.Endpoint.Domains, reach))]);
            }
        }
    }
}
