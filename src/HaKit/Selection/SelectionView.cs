using HaKit.Attempts;
using HaKit.Estimates;
using HaKit.Health;

namespace HaKit.Selection;

/// <summary>
/// Holds a snapshot as one kind of request needs it: by tier, the endpoints that may serve the request, and which of these are admitted. An endpoint that may
/// not serve the request is not in the view, so even a pool that fails open cannot reach it. Immutable, except for the round-robin cursors and the cached
/// value of the slow starts.
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
            .Select(g => new SelectionTier(g.Key, [.. g], policy, now, predecessor?.CursorOf(g.Key) ?? new RoundRobinCursor()))];
        double admitted = 0, usable = 0;
        foreach (var tier in Tiers)
        {
            admitted += tier.Admitted.TotalWeight;
            usable += tier.Admitted.TotalWeight;
            HasNotAdmitted |= tier.NotAdmitted.Length > 0;
            foreach (var state in tier.NotAdmitted)
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

    /// <summary>Gets a profile of this kind of request.</summary>
    public RequestProfile Kind { get; }

    /// <summary>Gets the tiers in the order in which they are used.</summary>
    public SelectionTier[] Tiers { get; }

    public bool HasNotAdmitted { get; }

    /// <summary>Gets whether so little of the pool is admitted that it fails open.</summary>
    public bool IsPanicking { get; }

    /// <summary>Checks whether an endpoint may be due for a trial.</summary>
    public bool MayHaveTrial(TimeSpan now) => now >= _trialAt;

    private RoundRobinCursor? CursorOf(int number) => Array.Find(Tiers, t => t.Number == number)?.Cursor;

    private static TimeSpan TrialAt(HealthState health, TimeSpan now) => health.Status switch
    {
        EndpointHealthStatus.Draining or EndpointHealthStatus.ForcedDown or EndpointHealthStatus.Trial => TimeSpan.MaxValue,
        _ => LaterOf(health.Until ?? now, health.Cooldown?.TrialAt ?? now),
    };

    private static TimeSpan LaterOf(TimeSpan a, TimeSpan b) => a > b ? a : b;
}

/// <summary>Holds one tier of a view.</summary>
internal sealed class SelectionTier
{
    // With the default duration, the value of a slow start changes by a third of a per cent in this time.
    private static readonly long WorthHolds = TimeSpan.FromMilliseconds(100).Ticks;

    private readonly double _total;
    private readonly double _overProvisioning;
    private readonly bool _hasSlowStart;
    private readonly int[]? _order;
    private double _worth;
    private long _worthUntil = -1;

    public SelectionTier(int number, EndpointState[] members, SelectionPolicy policy, TimeSpan now, RoundRobinCursor cursor)
    {
        Number = number;
        Cursor = cursor;
        _overProvisioning = policy.OverProvisioning;
        _total = members.Sum(m => m.Endpoint.Weight);
        var admitted = new List<Candidate>(members.Length);
        var notAdmitted = new List<EndpointState>();
        foreach (var member in members)
        {
            var health = member.Health.State;
            if (!health.Admits(now))
            {
                notAdmitted.Add(member);
                continue;
            }
            var isInSlowStart = health.Status == EndpointHealthStatus.SlowStart || health.Cooldown is not null;
            _hasSlowStart |= isInSlowStart;
            admitted.Add(new Candidate(member, isInSlowStart, policy.Zone is { } zone && zone == member.Endpoint.Zone));
        }
        NotAdmitted = [.. notAdmitted];
        Admitted = new CandidateGroup([.. admitted]);
        var local = admitted.Where(c => c.IsLocal).ToArray();
        Local = local.Length > 0 && local.Length < admitted.Count ? new CandidateGroup(local) : null;
        _worth = Admitted.TotalWeight;
        _order = policy.Order == VisitOrder.WeightedRoundRobin && !Admitted.AreEqual ? SmoothOrder.Compute(Admitted.Candidates) : null;
    }

    public int Number { get; }

    public CandidateGroup Admitted { get; }

    /// <summary>Gets the candidates in the pool's own zone. Null if the tier has none there, or no others.</summary>
    public CandidateGroup? Local { get; }

    public EndpointState[] NotAdmitted { get; }

    public RoundRobinCursor Cursor { get; }

    public int TurnLength => _order?.Length ?? Admitted.Count;

    public int At(long position) => _order is { } order ? order[position % order.Length] : (int)(position % Admitted.Count);

    /// <summary>
    /// Gets how much of its share of the traffic the tier can take, 0 to 1. This is Envoy's priority load: 1.4 times the healthy part of the tier's weight,
    /// slow starts included.
    /// </summary>
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
