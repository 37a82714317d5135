using HaKit.Attempts;
using HaKit.Estimates;
using HaKit.Health;

namespace HaKit.Selection;

/// <summary>
/// A pure choice from a snapshot for one request: tier, admit, fail open, narrow, sample, score. No I/O, no locks, no allocation but when
/// the snapshot or the kind of request is new. Thread-safe.
/// </summary>
internal sealed partial class Selector(SelectionPolicy policy, Chance chance, IEndpointSelector? own = null)
{
    // An ejected endpoint that is asked before its time is asked no more often than this.
    private static readonly TimeSpan FailOpenPause = TimeSpan.FromSeconds(1);

    /// <summary>The next endpoint for a call, which it has not tried and whose domain it has not found broken.</summary>
    public Choice Choose(PoolSnapshot snapshot, in SelectionQuery query)
    {
        var view = ViewOf(snapshot, in query);
        if (view.Tiers.Length == 0)
            return Choice.None;
        return query.History.IsFresh ? First(view, in query) : Another(view, in query);
    }

    private Choice First(SelectionView view, in SelectionQuery query)
    {
        var dice = new Dice(chance);
        var tier = TierOf(view, query.Now, ref dice);
        // A trial costs at most a repetition: whoever may be repeated asks promptly, for all.
        if (view.MayHaveTrial(query.Now) && query.Profile.MayRepeat && TrialIn(view, tier, in query) is { } ready)
            return new Choice(ready, Admission.Trial);
        var state = Pick(view.Tiers[tier], in query, ref dice);
        for (var next = 0; state is null && next < view.Tiers.Length; next++)
            if (next != tier)
                state = Pick(view.Tiers[next], in query, ref dice);
        if (view.IsPanicking && query.Profile.MayRepeat && HeldBack(view, state, in query, ref dice) is { } ejected)
            return new Choice(ejected, Admission.FailOpen);
        return state is null ? Choice.None : Choice.Normal(state);
    }

    // Envoy's priority load: each tier takes what it can of what is left, and together they take all.
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
            if ((draw -= tiers[i].Capacity(now)) < 0)
                return i;
        return 0;
    }

    private static EndpointState? TrialIn(SelectionView view, int lastTier, in SelectionQuery query)
    {
        for (var i = 0; i <= lastTier; i++)
            foreach (var state in view.Tiers[i].HeldBack)
                if (state.Health.State.IsTrialReady(query.Now) && !query.Excludes(state) && query.HasPlace(state))
                    return state;
        return null;
    }

    // One ejected endpoint beside the admitted one, priced as what it is: likely to fail. It gets the call only where the queue is worse.
    private EndpointState? HeldBack(SelectionView view, EndpointState? admitted, in SelectionQuery query, ref Dice dice)
    {
        var count = 0;
        foreach (var tier in view.Tiers)
            count += tier.HeldBack.Length;
        if (count == 0)
            return null;
        var drawn = dice.Next(count);
        foreach (var tier in view.Tiers)
        {
            if (drawn >= tier.HeldBack.Length)
            {
                drawn -= tier.HeldBack.Length;
                continue;
            }
            var state = tier.HeldBack[drawn];
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
        if (own is not null)
            return AskOwn(tier, in query, kinship: 0);
        if (policy.HasAffinity && query.Profile.AffinityKey is { } key && Home(tier.Admitted, key, in query) is { } home)
            return home;
        return policy.Walk switch
        {
            Walk.Sample => tier.Local is { } local ? Near(local, tier.Admitted, in query, ref dice) : Sampled(tier.Admitted, in query, ref dice),
            Walk.All => Least(tier.Admitted, tier.Admitted.Draw(ref dice), in query, ref dice),
            Walk.Listed => InTurn(tier, 0, tier.Admitted.Count, in query, ref dice),
            _ => InTurn(tier, tier.Turn.Advance(), tier.TurnLength, in query, ref dice),
        };
    }

    // The best of a sample at home, unless one from anywhere is better in spite of the way.
    private EndpointState? Near(CandidateGroup local, CandidateGroup all, in SelectionQuery query, ref Dice dice)
    {
        if (Sampled(local, in query, ref dice) is not { } near)
            return Sampled(all, in query, ref dice);
        ref readonly var other = ref all.Candidates[all.Draw(ref dice)];
        return !other.IsLocal && Accepts(in other, in query, ref dice)
            && Score.Of(in other, Units(in query), in query, policy) < Score.Terms(near, in query, policy).Total ? other.State : near;
    }

    // Power of d choices (Mitzenmacher 2001), drawn by weight. Equal scores go to the first drawn, so that an idle pool is shared by weight alone.
    private EndpointState? Sampled(CandidateGroup group, in SelectionQuery query, ref Dice dice)
    {
        var candidates = group.Candidates;
        if (candidates.Length == 1)
            return query.HasPlace(candidates[0].State) ? candidates[0].State : null;
        var units = Units(in query);
        var wanted = policy.Sample;
        int best = -1, last = -1, spare = -1;
        var least = double.PositiveInfinity;
        for (var tries = 2 * wanted + 4; tries > 0 && wanted > 0; tries--)
        {
            var drawn = last < 0 ? group.Draw(ref dice) : group.DrawOther(last, ref dice);
            ref readonly var candidate = ref candidates[drawn];
            if (!query.HasPlace(candidate.State))
                continue;
            if (candidate.IsInSlowStart && dice.NextDouble() >= candidate.SlowStartShare(query.Now))
            {
                spare = drawn;
                continue;
            }
            last = drawn;
            wanted--;
            if (best < 0 && wanted == 0)
                return candidate.State;
            var score = Score.Of(in candidate, units, in query, policy);
            if (score < least)
                (least, best) = (score, drawn);
        }
        if (best < 0)
            best = spare;
        return best >= 0 ? candidates[best].State : Least(group, dice.Next(candidates.Length), in query, ref dice);
    }

    private EndpointState? Least(CandidateGroup group, int start, in SelectionQuery query, ref Dice dice)
    {
        var candidates = group.Candidates;
        var units = Units(in query);
        EndpointState? best = null, spare = null;
        var least = double.PositiveInfinity;
        for (var i = 0; i < candidates.Length; i++)
        {
            ref readonly var candidate = ref candidates[(start + i) % candidates.Length];
            if (!query.HasPlace(candidate.State))
                continue;
            if (candidate.IsInSlowStart && dice.NextDouble() >= candidate.SlowStartShare(query.Now))
            {
                spare ??= candidate.State;
                continue;
            }
            var score = Score.Of(in candidate, units, in query, policy);
            if (score < least)
                (least, best) = (score, candidate.State);
        }
        return best ?? spare;
    }

    private static EndpointState? InTurn(SelectionTier tier, long start, int length, in SelectionQuery query, ref Dice dice)
    {
        var candidates = tier.Admitted.Candidates;
        EndpointState? spare = null;
        for (var i = 0; i < length; i++)
        {
            ref readonly var candidate = ref candidates[tier.At(start + i)];
            if (!query.HasPlace(candidate.State))
                continue;
            if (!candidate.IsInSlowStart || dice.NextDouble() < candidate.SlowStartShare(query.Now))
                return candidate.State;
            spare ??= candidate.State;
        }
        return spare;
    }

    private static bool Accepts(in Candidate candidate, in SelectionQuery query, ref Dice dice) =>
        query.HasPlace(candidate.State) && (!candidate.IsInSlowStart || dice.NextDouble() < candidate.SlowStartShare(query.Now));

    private static double Units(in SelectionQuery query) => LatencyEstimate.UnitsOf(query.Profile.InputTokens);
}
