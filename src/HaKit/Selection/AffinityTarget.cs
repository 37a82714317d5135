using HaKit.Attempts;
using HaKit.Estimates;

namespace HaKit.Selection;

/// <summary>Finds the affinity target: the endpoint that requests with the same affinity key prefer.</summary>
internal static class AffinityTarget
{
    /// <summary>
    /// Finds the first endpoint in the key's ranking that is not overloaded: its load, including this call, is at most the given multiple of its fair share
    /// (consistent hashing with bounded loads; Mirrokni, Thorup and Zadimoghaddam 2018). Returns null if this endpoint fails often or is silent; the score then decides.
    /// </summary>
    public static EndpointState? Find(CandidateGroup group, string affinityKey, double maxLoad, in SelectionQuery query)
    {
        var key = Rendezvous.Hash(affinityKey);
        var load = 1L;
        var target = FirstRanked(group, key, double.PositiveInfinity, in query, ref load);
        if (target < 0)
            return null;
        var perWeight = maxLoad * load / group.TotalWeight;
        ref readonly var first = ref group.Candidates[target];
        if (IsFull(in first, perWeight))
            target = FirstRanked(group, key, perWeight, in query, ref load);
        return target < 0 || IsInTrouble(group.Candidates[target].State, in query) ? null : group.Candidates[target].State;
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

    // The endpoint fails more often than it serves, or has been silent for longer than it usually takes.
    private static bool IsInTrouble(EndpointState state, in SelectionQuery query) =>
        state.Failure.ProbabilityAt(query.Now) > 0.5
        || state.Silence.OverdueSeconds(query.Now) is var late && late > 0 && late > state.Latency.Expected(LatencyEstimate.UnitsOf(query.Profile.InputTokens), query.Now);
}
