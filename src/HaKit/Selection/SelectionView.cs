using HaKit.Attempts;
using HaKit.Estimates;
using HaKit.Health;

namespace HaKit.Selection;

/// <summary>
/// A snapshot as one kind of request sees it: by tier, those that may serve it, and which of them are admitted. Whoever may not serve it is not
/// in it, so no panic can reach them. Immutable but for the turns and what ramps are worth at the moment.
/// </summary>
internal sealed class SelectionView
{
    private readonly TimeSpan _trialAt = TimeSpan.MaxValue;

    public SelectionView(PoolSnapshot snapshot, RequestProfile kind, SelectionPolicy policy, TimeSpan now, SelectionView? predecessor)
    {
        Kind = kind;
        Tiers = [.. snapshot.Members
            .Where(m => Requirement.Meets(m.Endpoint, kind))
            .GroupBy(m => m.Endpoint.Tier)
            .OrderBy(g => g.Key >= snapshot.FirstTier ? 0 : 1).ThenBy(g => g.Key)
            .Select(g => new SelectionTier(g.Key, [.. g], policy, now, predecessor?.TurnOf(g.Key) ?? new Turn()))];
        double admitted = 0, usable = 0;
        foreach (var tier in Tiers)
        {
            admitted += tier.Admitted.TotalWeight;
            usable += tier.Admitted.TotalWeight;
            HasHeldBack |= tier.HeldBack.Length > 0;
            foreach (var state in tier.HeldBack)
            {
                var health = state.Health.State;
                if (health.Status is not (EndpointHealthStatus.Draining or EndpointHealthStatus.ForcedDown))
                    usable += state.Endpoint.Weight;
                if (TrialAt(health, now) is var at && at < _trialAt)
                    _trialAt = at;
            }
        }
        IsPanicking = admitted > 0 && admitted < policy.FailOpenBelow * usable;
    }

    /// <summary>A profile of this kind.</summary>
    public RequestProfile Kind { get; }

    /// <summary>In the order in which they are used.</summary>
    public SelectionTier[] Tiers { get; }

    public bool HasHeldBack { get; }

    /// <summary>Is so little admitted that ejected endpoints are asked before their time?</summary>
    public bool IsPanicking { get; }

    /// <summary>May somebody be ready for a trial?</summary>
    public bool MayHaveTrial(TimeSpan now) => now >= _trialAt;

    private Turn? TurnOf(int number) => Array.Find(Tiers, t => t.Number == number)?.Turn;

    private static TimeSpan TrialAt(HealthState health, TimeSpan now) => health.Status switch
    {
        EndpointHealthStatus.Draining or EndpointHealthStatus.ForcedDown or EndpointHealthStatus.Trial => TimeSpan.MaxValue,
        _ => Later(health.Until ?? now, health.Cooldown?.TrialAt ?? now),
    };

    private static TimeSpan Later(TimeSpan a, TimeSpan b) => a > b ? a : b;
}

/// <summary>One tier of a view.</summary>
internal sealed class SelectionTier
{
    // What ramps are worth changes by a third of a per cent in this time, with the default ramp.
    private static readonly long WorthHolds = TimeSpan.FromMilliseconds(100).Ticks;

    private readonly double _total;
    private readonly double _overProvisioning;
    private readonly bool _hasSlowStart;
    private readonly int[]? _order;
    private double _worth;
    private long _worthUntil = -1;

    public SelectionTier(int number, EndpointState[] members, SelectionPolicy policy, TimeSpan now, Turn turn)
    {
        Number = number;
        Turn = turn;
        _overProvisioning = policy.OverProvisioning;
        _total = members.Sum(m => m.Endpoint.Weight);
        var admitted = new List<Candidate>(members.Length);
        var heldBack = new List<EndpointState>();
        foreach (var member in members)
        {
            var health = member.Health.State;
            if (!health.Admits(now))
            {
                heldBack.Add(member);
                continue;
            }
            var ramps = health.Status == EndpointHealthStatus.SlowStart || health.Cooldown is not null;
            _hasSlowStart |= ramps;
            admitted.Add(new Candidate(member, ramps, policy.Zone is { } zone && zone == member.Endpoint.Zone));
        }
        HeldBack = [.. heldBack];
        Admitted = new CandidateGroup([.. admitted]);
        var local = admitted.Where(c => c.IsLocal).ToArray();
        Local = local.Length > 0 && local.Length < admitted.Count ? new CandidateGroup(local) : null;
        _worth = Admitted.TotalWeight;
        _order = policy.Walk == Walk.WeightedTurn && !Admitted.AreEqual ? SmoothOrder.Of(Admitted.Candidates) : null;
    }

    public int Number { get; }

    public CandidateGroup Admitted { get; }

    /// <summary>Those in the pool's own zone, if there are such and others.</summary>
    public CandidateGroup? Local { get; }

    public EndpointState[] HeldBack { get; }

    public Turn Turn { get; }

    public int TurnLength => _order?.Length ?? Admitted.Count;

    public int At(long position) => _order is { } order ? order[position % order.Length] : (int)(position % Admitted.Count);

    /// <summary>How much of its share of the traffic it can take, 0 to 1: Envoy's priority load. 1.4 times the part of its weight that is healthy, ramps included.</summary>
    public double Capacity(TimeSpan now) => Math.Min(1, _overProvisioning * Worth(now) / _total);

    private double Worth(TimeSpan now)
    {
        if (!_hasSlowStart || now.Ticks < Volatile.Read(ref _worthUntil))
            return Volatile.Read(ref _worth);
        var worth = 0.0;
        foreach (ref readonly var candidate in Admitted.Candidates.AsSpan())
            worth += candidate.Weight * candidate.SlowStartShare(now);
        Volatile.Write(ref _worth, worth);
        Volatile.Write(ref _worthUntil, now.Ticks + WorthHolds);
        return worth;
    }
}
