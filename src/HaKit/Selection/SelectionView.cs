using HaKit.Attempts;
using HaKit.Estimates;
using HaKit.Health;

namespace HaKit.Selection;

/// <summary>
/// Holds the part of a snapshot that one kind of request needs: for each tier, the endpoints that may serve the request, and the admitted endpoints among them.
/// An endpoint that may not serve the request is not in the view, so it gets no call even if the pool fails open. Immutable, except for the round-robin cursors
/// and the cached weight of the slow starts.
/// </summary>
internal sealed class SelectionView
{
    private readonly TimeSpan _trialAt = TimeSpan.MaxValue;

    /// <param name="snapshot">The snapshot.</param>
    /// <param name="kind">The profile that represents the kind of request.</param>
    /// <param name="policy">The policy of the pool.</param>
    /// <param name="now">The current time.</param>
    /// <param name="predecessor">The view of the same kind in the previous snapshot; the new view keeps its cursors. Null: there is none.</param>
    /// <param name="firstPosition">The first position of new cursors.</param>
    public SelectionView(PoolSnapshot snapshot, RequestProfile kind, SelectionPolicy policy, TimeSpan now, SelectionView? predecessor, long firstPosition = 0)
    {
        Kind = kind;
        Tiers = [.. snapshot.Members
            .Where(m => Requirement.Meets(m.Endpoint, kind))
            .GroupBy(m => m.Endpoint.Tier)
            .OrderBy(g => g.Key >= snapshot.FirstTier ? 0 : 1).ThenBy(g => g.Key)
            .Select(g => new SelectionTier(g.Key, [.. g], policy, now, predecessor?.CursorOf(g.Key) ?? new RoundRobinCursor(firstPosition)))];
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
        FailsOpen = admitted > 0 && admitted < policy.FailOpenBelow * usable;
    }

    /// <summary>Gets the profile that represents this kind of request.</summary>
    public RequestProfile Kind { get; }

    /// <summary>Gets the tiers in the order in which they are used.</summary>
    public SelectionTier[] Tiers { get; }

    public bool HasNotAdmitted { get; }

    /// <summary>Gets whether the pool fails open, because the admitted share of its endpoints is below the limit of the settings.</summary>
    public bool FailsOpen { get; }

    /// <summary>Checks whether a trial may be due on one of the endpoints.</summary>
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
    // The cached weight is used for this time. With the default duration, a slow start changes by a third of a per cent in this time.
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
        if (local.Length > 0 && local.Length < admitted.Count)
        {
            Local = new CandidateGroup(local);
            Remote = new CandidateGroup([.. admitted.Where(c => !c.IsLocal)]);
        }
        _worth = Admitted.TotalWeight;
        _order = policy.Order == VisitOrder.WeightedRoundRobin && !Admitted.AreEqual ? SmoothOrder.Compute(Admitted.Candidates) : null;
    }

    public int Number { get; }

    public CandidateGroup Admitted { get; }

    /// <summary>Gets the candidates in the pool's own zone. Null if the tier has no candidate in this zone, or no candidate in another zone.</summary>
    public CandidateGroup? Local { get; }

    /// <summary>Gets the candidates in other zones. Null if <see cref="Local"/> is null.</summary>
    public CandidateGroup? Remote { get; }

    public EndpointState[] NotAdmitted { get; }

    public RoundRobinCursor Cursor { get; }

    public int TurnLength => _order?.Length ?? Admitted.Count;

    public int At(long position) => _order is { } order ? order[position % order.Length] : (int)(position % Admitted.Count);

    /// <summary>
    /// Gets the part of its traffic that the tier can take, from 0 to 1. This is Envoy's priority load: 1.4 times the admitted share of the tier's weight. An
    /// endpoint in slow start counts with its reduced weight.
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
