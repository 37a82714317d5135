using HaKit.Attempts;
using HaKit.Estimates;
using HaKit.Health;

namespace HaKit.Selection;

/// <summary>
/// Chooses an endpoint from a snapshot for one request. The steps are: choose the tier, find the admitted endpoints, fail open if necessary, draw a sample,
/// compare scores. No I/O and no locks. It allocates only if the snapshot or the kind of request is new. Thread-safe.
/// </summary>
internal sealed class Selector(SelectionPolicy policy, Chance chance, IEndpointSelector? own = null)
{
    // The minimum time between two calls that an ejected endpoint gets because the pool fails open.
    private static readonly TimeSpan FailOpenPause = TimeSpan.FromSeconds(1);

    private readonly SelectionViews _views = new(policy);
    private readonly OwnSelector? _own = own is null ? null : new OwnSelector(own, policy);

    private enum Acceptance
    {
        /// <summary>The request does not fit the context window, or the limits have no room for it.</summary>
        NoRoom,

        Accepted,

        /// <summary>
        /// The endpoint is in slow start, and the random draw has not given it this request. The endpoint gets the request only if no other endpoint can take
        /// it.
        /// </summary>
        BeyondShare,
    }

    /// <summary>
    /// Chooses the next endpoint for a call. Endpoints that the call has already tried, and endpoints in a failure domain that the call has found broken, are
    /// left out.
    /// </summary>
    public Choice Choose(PoolSnapshot snapshot, in SelectionQuery query) =>
        query.Profile is { Preferred: null, IsWindowEstimated: false }
            ? ChooseAmong(snapshot, in query)
            : ChooseAmong(snapshot, query.ForPreferred(snapshot).PreferRoom(snapshot));

    private Choice ChooseAmong(PoolSnapshot snapshot, in SelectionQuery query)
    {
        var view = _views.Get(snapshot, in query);
        if (view.Tiers.Length == 0)
            return Choice.None;
        return query.History.IsFresh ? ChooseFirst(view, in query) : ChooseAfterFailure(view, in query);
    }

    /// <summary>Explains why each member would or would not be chosen. Has no side effects.</summary>
    public IReadOnlyList<EndpointExplanation> Explain(PoolSnapshot snapshot, in SelectionQuery query) => SelectionExplainer.Explain(snapshot, policy, query.PreferRoom(snapshot));

    private Choice ChooseFirst(SelectionView view, in SelectionQuery query)
    {
        var dice = new Dice(chance);
        var tier = TierOf(view, query.Now, ref dice);
        // A call that may be repeated makes a trial as soon as the trial is due. A failed trial costs this call one failover, and a successful trial helps all
        // calls. A call that must not be repeated may be lost with the trial, so it makes only a trial that no other call has made for a long time.
        if (view.MayHaveTrial(query.Now) && TrialIn(view, tier, in query, dueFor: query.Profile.MayRepeat ? TimeSpan.Zero : policy.PatienceWithTrials) is { } ready)
            return new Choice(ready, Admission.Trial);
        var state = Pick(view.Tiers[tier], in query, ref dice);
        for (var next = 0; state is null && next < view.Tiers.Length; next++)
        {
            if (next != tier)
                state = Pick(view.Tiers[next], in query, ref dice);
        }

        if (view.FailsOpen && query.Profile.MayRepeat && FindFailOpenTarget(view, state, in query, ref dice) is { } ejected)
            return new Choice(ejected, Admission.FailOpen);
        return state is null ? Choice.None : Choice.Normal(state);
    }

    /// <summary>
    /// Chooses after a failure: the endpoint that shares the least with the failed endpoints, then the lowest tier, then the best score. With strict tiers, the
    /// tier comes first, except that the call moves to a later tier to leave a throttled account. All endpoints are compared, because a second failure costs
    /// more than the comparison.
    /// </summary>
    private Choice ChooseAfterFailure(SelectionView view, in SelectionQuery query)
    {
        var dice = new Dice(chance);
        EndpointState? best = null;
        SelectionTier? bestTier = null;
        var least = int.MaxValue;
        foreach (var tier in view.Tiers)
        {
            if (best is not null && policy.StrictTiers && least < SelectionQuery.ThrottledAccount)
                break;
            if (LeastOverlap(tier, least, in query, ref dice) is { State: not null } found)
                (best, least, bestTier) = (found.State, found.Overlap, tier);
        }
        if (best is not null)
            return Choice.Normal(_own?.Choose(bestTier!, in query, least) ?? best);
        if (TrialIn(view, view.Tiers.Length - 1, in query, dueFor: TimeSpan.Zero) is { } ready)
            return new Choice(ready, Admission.Trial);
        return view.FailsOpen && query.Profile.MayRepeat && FindFailOpenTarget(view, null, in query, ref dice) is { } ejected
            ? new Choice(ejected, Admission.FailOpen)
            : Choice.None;
    }

    // Finds the best of the tier's endpoints with the smallest overlap with the failed endpoints. Returns null if an earlier tier has an endpoint with the same
    // or a smaller overlap.
    private (EndpointState? State, int Overlap) LeastOverlap(SelectionTier tier, int below, in SelectionQuery query, ref Dice dice)
    {
        (EndpointState? State, int Overlap) best = (null, below);
        var lowest = double.PositiveInfinity;
        var start = StartOf(tier, ref dice);
        for (var i = 0; i < tier.Admitted.Count; i++)
        {
            ref readonly var candidate = ref tier.Admitted.Candidates[(start + i) % tier.Admitted.Count];
            if (query.Excludes(candidate.State) || !query.HasPlace(candidate.State))
                continue;
            var overlap = query.OverlapWithFailures(candidate.State);
            if (overlap > best.Overlap || overlap == best.Overlap && best.State is null)
                continue;
            var rank = RankOf(tier, in candidate, i, in query);
            if (overlap < best.Overlap || rank < lowest)
                (lowest, best) = (rank, (candidate.State, overlap));
        }
        return best;
    }

    private int StartOf(SelectionTier tier, ref Dice dice)
    {
        if (tier.Admitted.Count == 0)
            return 0;
        return policy.Order switch
        {
            VisitOrder.Listed => 0,
            VisitOrder.RoundRobin or VisitOrder.WeightedRoundRobin => tier.At(tier.Cursor.Advance()),
            _ => tier.Admitted.Draw(ref dice),
        };
    }

    private double RankOf(SelectionTier tier, in Candidate candidate, int place, in SelectionQuery query)
    {
        if (policy.Order is VisitOrder.Listed or VisitOrder.RoundRobin or VisitOrder.WeightedRoundRobin || policy.Sample == 1)
            return place;
        return policy.HasAffinity && query.Profile.AffinityKey is { } key
            ? Rendezvous.Rank(Rendezvous.Hash(key), in candidate, tier.Admitted.AreEqual)
            : Score.ComputeSeconds(in candidate, Units(in query), in query, policy) / candidate.SlowStartShare(query.Now);
    }

    // Envoy's priority load: each tier takes as much of the remaining traffic as it can, and together the tiers take all of it.
    private int TierOf(SelectionView view, TimeSpan now, ref Dice dice)
    {
        var tiers = view.Tiers;
        if (tiers.Length == 1 || policy.StrictTiers || tiers[0].Capacity(now) >= 1)
            return 0;
        var all = 0.0;
        foreach (var tier in tiers)
            all += tier.Capacity(now);
        var draw = dice.NextDouble() * Math.Min(1, all);
        for (var i = 0; i < tiers.Length; i++)
        {
            if ((draw -= tiers[i].Capacity(now)) < 0)
                return i;
        }

        return 0;
    }

    private static EndpointState? TrialIn(SelectionView view, int lastTier, in SelectionQuery query, TimeSpan dueFor)
    {
        for (var i = 0; i <= lastTier; i++)
        {
            foreach (var state in view.Tiers[i].NotAdmitted)
            {
                var health = state.Health.State;
                if (health.IsTrialReady(query.Now) && query.Now - health.TrialDueAt >= dueFor && !query.Excludes(state) && query.HasPlace(state))
                    return state;
            }
        }

        return null;
    }

    // Draws one ejected endpoint, and compares its score with the score of the admitted endpoint. The score includes the endpoint's high probability of
    // failure. So the ejected endpoint gets the call only if the queue at the admitted endpoint costs more.
    private EndpointState? FindFailOpenTarget(SelectionView view, EndpointState? admitted, in SelectionQuery query, ref Dice dice)
    {
        var count = 0;
        foreach (var tier in view.Tiers)
            count += tier.NotAdmitted.Length;
        if (count == 0)
            return null;
        var drawn = dice.Next(count);
        foreach (var tier in view.Tiers)
        {
            if (drawn >= tier.NotAdmitted.Length)
            {
                drawn -= tier.NotAdmitted.Length;
                continue;
            }
            var state = tier.NotAdmitted[drawn];
            var health = state.Health.State;
            return health.Status == EndpointHealthStatus.Ejected && !health.IsCooling(query.Now) && query.Now - health.Since >= FailOpenPause
                && !query.Excludes(state) && query.HasPlace(state)
                && (admitted is null || Score.Terms(state, in query, policy).Total < Score.Terms(admitted, in query, policy).Total)
                ? state : null;
        }
        return null;
    }

    private EndpointState? Pick(SelectionTier tier, in SelectionQuery query, ref Dice dice)
    {
        if (tier.Admitted.Count == 0)
            return null;
        if (_own is not null)
            return _own.Choose(tier, in query, mostOverlap: 0);
        if (policy.HasAffinity && query.Profile.AffinityKey is { } key && AffinityTarget.Find(tier.Admitted, key, policy.AffinityLoad, in query) is { } target)
            return target;
        return policy.Order switch
        {
            VisitOrder.Sample => tier.Local is { } local ? Near(local, tier.Remote!, tier.Admitted, in query, ref dice) : Sampled(tier.Admitted, in query, ref dice, out _),
            VisitOrder.All => Least(tier.Admitted, tier.Admitted.Draw(ref dice), in query, ref dice, out _),
            VisitOrder.Listed => InTurn(tier, 0, tier.Admitted.Count, in query, ref dice),
            _ => InTurn(tier, tier.Cursor.Advance(), tier.TurnLength, in query, ref dice),
        };
    }

    // Chooses the best endpoint of a sample in the pool's own zone. An endpoint of another zone is chosen only if its score is better in spite of the zone
    // penalty, or if the endpoints of the pool's own zone are in slow start and the random draws have not given them this request.
    private EndpointState? Near(CandidateGroup local, CandidateGroup remote, CandidateGroup all, in SelectionQuery query, ref Dice dice)
    {
        var near = Sampled(local, in query, ref dice, out var isNearBeyondShare);
        if (near is null || isNearBeyondShare)
        {
            var far = Sampled(remote, in query, ref dice, out var isFarBeyondShare);
            return far is null || isFarBeyondShare ? near ?? far : far;
        }
        ref readonly var other = ref all.Candidates[all.Draw(ref dice)];
        return !other.IsLocal && Accept(in other, in query, ref dice) == Acceptance.Accepted
            && Score.ComputeSeconds(in other, Units(in query), in query, policy) < Score.Terms(near, in query, policy).Total ? other.State : near;
    }

    // Power of d choices (Mitzenmacher 2001), drawn by weight. If scores are equal, the endpoint that was drawn first is chosen, so that weights alone
    // determine the traffic of an idle pool.
    private EndpointState? Sampled(CandidateGroup group, in SelectionQuery query, ref Dice dice, out bool isBeyondShare)
    {
        var candidates = group.Candidates;
        isBeyondShare = false;
        if (candidates.Length == 1)
            return Only(in candidates[0], in query, ref dice, out isBeyondShare);
        var units = Units(in query);
        var wanted = policy.Sample;
        int best = -1, last = -1, spare = -1;
        var least = double.PositiveInfinity;
        // Each bit is one of the first 64 candidates that this choice has refused because of its slow start. The refusal must hold for all draws of this
        // choice: in a pool of two endpoints, repeated draws would give the returning endpoint most of the traffic. Larger pools seldom draw the same
        // candidate twice.
        ulong refused = 0;
        for (var tries = 2 * wanted + 4; tries > 0 && wanted > 0; tries--)
        {
            var drawn = last < 0 ? group.Draw(ref dice) : group.DrawOther(last, ref dice);
            if (drawn < 64 && (refused >> drawn & 1) != 0)
                continue;
            ref readonly var candidate = ref candidates[drawn];
            var acceptance = Accept(in candidate, in query, ref dice);
            if (acceptance == Acceptance.BeyondShare)
            {
                spare = drawn;
                refused |= drawn < 64 ? 1UL << drawn : 0;
            }
            if (acceptance != Acceptance.Accepted)
                continue;
            last = drawn;
            wanted--;
            if (best < 0 && wanted == 0)
                return candidate.State;
            var score = Score.ComputeSeconds(in candidate, units, in query, policy);
            if (score < least)
                (least, best) = (score, drawn);
        }
        if (best < 0 && spare < 0)
            return Least(group, dice.Next(candidates.Length), in query, ref dice, out isBeyondShare);
        isBeyondShare = best < 0;
        return candidates[isBeyondShare ? spare : best].State;
    }

    private static EndpointState? Only(in Candidate candidate, in SelectionQuery query, ref Dice dice, out bool isBeyondShare)
    {
        var acceptance = Accept(in candidate, in query, ref dice);
        isBeyondShare = acceptance == Acceptance.BeyondShare;
        return acceptance == Acceptance.NoRoom ? null : candidate.State;
    }

    private EndpointState? Least(CandidateGroup group, int start, in SelectionQuery query, ref Dice dice, out bool isBeyondShare)
    {
        var candidates = group.Candidates;
        var units = Units(in query);
        EndpointState? best = null, spare = null;
        var least = double.PositiveInfinity;
        for (var i = 0; i < candidates.Length; i++)
        {
            ref readonly var candidate = ref candidates[(start + i) % candidates.Length];
            var acceptance = Accept(in candidate, in query, ref dice);
            if (acceptance == Acceptance.BeyondShare)
                spare ??= candidate.State;
            if (acceptance != Acceptance.Accepted)
                continue;
            var score = Score.ComputeSeconds(in candidate, units, in query, policy);
            if (score < least)
                (least, best) = (score, candidate.State);
        }
        isBeyondShare = best is null && spare is not null;
        return best ?? spare;
    }

    private static EndpointState? InTurn(SelectionTier tier, long start, int length, in SelectionQuery query, ref Dice dice)
    {
        var candidates = tier.Admitted.Candidates;
        EndpointState? spare = null;
        for (var i = 0; i < length; i++)
        {
            ref readonly var candidate = ref candidates[tier.At(start + i)];
            var acceptance = Accept(in candidate, in query, ref dice);
            if (acceptance == Acceptance.Accepted)
                return candidate.State;
            if (acceptance == Acceptance.BeyondShare)
                spare ??= candidate.State;
        }
        return spare;
    }

    private static Acceptance Accept(in Candidate candidate, in SelectionQuery query, ref Dice dice)
    {
        if (!query.HasPlace(candidate.State))
            return Acceptance.NoRoom;
        return candidate.IsInSlowStart && dice.NextDouble() >= candidate.SlowStartShare(query.Now) ? Acceptance.BeyondShare : Acceptance.Accepted;
    }

    private static double Units(in SelectionQuery query) => LatencyEstimate.UnitsOf(query.Profile.InputTokens);
}
