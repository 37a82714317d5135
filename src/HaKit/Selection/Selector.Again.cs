using System.Buffers;
using HaKit.Attempts;
using HaKit.Estimates;

namespace HaKit.Selection;

internal sealed partial class Selector
{
    /// <summary>
    /// After a failure: whoever shares the least with what failed, then the lowest tier, then the best. Strict tiers come first, but for an account that
    /// was throttled. Looks at everybody, because a second mistake costs more than the look.
    /// </summary>
    private Choice Another(SelectionView view, in SelectionQuery query)
    {
        var dice = new Dice(chance);
        EndpointState? best = null;
        SelectionTier? bestTier = null;
        var closest = int.MaxValue;
        foreach (var tier in view.Tiers)
        {
            if (best is not null && policy.StrictTiers && closest < SelectionQuery.ThrottledAccount)
                break;
            var lowest = double.PositiveInfinity;
            var start = StartOf(tier, ref dice);
            for (var i = 0; i < tier.Admitted.Count; i++)
            {
                ref readonly var candidate = ref tier.Admitted.Candidates[(start + i) % tier.Admitted.Count];
                if (query.Excludes(candidate.State) || !query.HasPlace(candidate.State))
                    continue;
                var kinship = query.Kinship(candidate.State);
                if (kinship > closest || kinship == closest && tier != bestTier)
                    continue;
                var rank = RankOf(tier, in candidate, i, in query);
                if (kinship < closest || rank < lowest)
                    (closest, lowest, best, bestTier) = (kinship, rank, candidate.State, tier);
            }
        }
        if (best is not null)
            return Choice.Normal(own is null ? best : AskOwn(bestTier!, in query, closest) ?? best);
        if (TrialIn(view, view.Tiers.Length - 1, in query) is { } ready)
            return new Choice(ready, Admission.Trial);
        return view.IsPanicking && query.Profile.MayRepeat && HeldBack(view, null, in query, ref dice) is { } ejected ? new Choice(ejected, Admission.FailOpen) : Choice.None;
    }

    private int StartOf(SelectionTier tier, ref Dice dice) => tier.Admitted.Count == 0 ? 0 : policy.Walk switch
    {
        Walk.Listed => 0,
        Walk.PlainTurn or Walk.WeightedTurn => tier.At(tier.Turn.Advance()),
        _ => tier.Admitted.Draw(ref dice),
    };

    private double RankOf(SelectionTier tier, in Candidate candidate, int place, in SelectionQuery query) =>
        policy.Walk is Walk.Listed or Walk.PlainTurn or Walk.WeightedTurn || policy.Sample == 1 ? place
        : policy.HasAffinity && query.Profile.AffinityKey is { } key ? Rendezvous.Rank(Rendezvous.Hash(key), in candidate, tier.Admitted.AreEqual)
        : Score.Of(in candidate, Units(in query), in query, policy) / candidate.SlowStartShare(query.Now);

    /// <summary>The user's own choice among those of the tier that may take the request and are no closer to what failed. Null when there are none.</summary>
    private EndpointState? AskOwn(SelectionTier tier, in SelectionQuery query, int kinship)
    {
        var candidates = tier.Admitted.Candidates;
        var offers = ArrayPool<EndpointCandidate>.Shared.Rent(candidates.Length);
        var states = ArrayPool<EndpointState>.Shared.Rent(candidates.Length);
        try
        {
            var count = 0;
            foreach (ref readonly var candidate in candidates.AsSpan())
            {
                var state = candidate.State;
                if (query.Excludes(state) || !query.HasPlace(state) || query.Kinship(state) > kinship)
                    continue;
                offers[count] = new EndpointCandidate
                {
                    Endpoint = state.Endpoint,
                    InFlight = state.InFlight,
                    SlowStartShare = candidate.SlowStartShare(query.Now),
                    OutputTokenSeconds = state.Latency.OutputTokenSeconds,
                    Score = Score.Terms(state, in query, policy),
                };
                states[count++] = state;
            }
            if (count == 0)
                return null;
            var index = own!.Choose(query.Profile, offers.AsSpan(0, count));
            return (uint)index < (uint)count
                ? states[index]
                : throw new InvalidOperationException($"The selector {own.GetType()} chose {index} of {count} candidates.");
        }
        finally
        {
            ArrayPool<EndpointCandidate>.Shared.Return(offers, clearArray: true);
            ArrayPool<EndpointState>.Shared.Return(states, clearArray: true);
        }
    }
}
