using HaKit.Attempts;
using HaKit.Estimates;

namespace HaKit.Selection;

internal sealed partial class Selector
{
    /// <summary>
    /// Where the key lives: the first in its ranking whose load, this call included, is at most so many times its fair share (consistent hashing
    /// with bounded loads; Mirrokni, Thorup and Zadimoghaddam 2018). Null when that endpoint is in trouble: then the score decides.
    /// </summary>
    private EndpointState? Home(CandidateGroup group, string affinityKey, in SelectionQuery query)
    {
        var key = Rendezvous.Hash(affinityKey);
        var load = 1L;
        var home = FirstRanked(group, key, double.PositiveInfinity, in query, ref load);
        if (home < 0)
            return null;
        var perWeight = policy.AffinityLoad * load / group.TotalWeight;
        ref readonly var first = ref group.Candidates[home];
        if (IsFull(in first, perWeight))
            home = FirstRanked(group, key, perWeight, in query, ref load);
        return home < 0 || IsInTrouble(group.Candidates[home].State, in query) ? null : group.Candidates[home].State;
    }

    private static int FirstRanked(CandidateGroup group, ulong key, double loadPerWeight, in SelectionQuery query, ref long load)
    {
        var first = -1;
        var lowest = double.PositiveInfinity;
        for (var i = 0; i < group.Count; i++)
        {
            ref readonly var candidate = ref group.Candidates[i];
            load += candidate.State.InFlight;
            if (candidate.IsInSlowStart && !Rendezvous.HasReturned(key, in candidate, candidate.SlowStartShare(query.Now)) || !query.HasPlace(candidate.State))
                continue;
            var rank = Rendezvous.Rank(key, in candidate, group.AreEqual);
            if (rank < lowest && !IsFull(in candidate, loadPerWeight))
                (lowest, first) = (rank, i);
        }
        return first;
    }

    private static bool IsFull(in Candidate candidate, double loadPerWeight) =>
        candidate.State.InFlight + 1 > Math.Ceiling(loadPerWeight * candidate.Weight);

    // Fails more often than not, or has been silent for longer than it takes.
    private static bool IsInTrouble(EndpointState state, in SelectionQuery query) =>
        state.Failure.At(query.Now) > 0.5
        || state.Silence.OverdueSeconds(query.Now) is var late && late > 0 && late > state.Latency.Expected(Units(in query), query.Now);
}
