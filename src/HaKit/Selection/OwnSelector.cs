using System.Buffers;
using HaKit.Attempts;

namespace HaKit.Selection;

/// <summary>Offers the candidates to the application's own selector. Thread-safe if that selector is thread-safe.</summary>
internal sealed class OwnSelector(IEndpointSelector own, SelectionPolicy policy)
{
    /// <summary>
    /// Lets the application choose one of the tier's endpoints that may take the request. Endpoints that share more than the given overlap with the failed
    /// endpoints are left out. Returns null if no endpoint remains.
    /// </summary>
    public EndpointState? Choose(SelectionTier tier, in SelectionQuery query, int mostOverlap)
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
                if (query.Excludes(state) || !query.HasPlace(state) || query.OverlapWithFailures(state) > mostOverlap)
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
            var index = own.Choose(query.Profile, offers.AsSpan(0, count));
            return (uint)index < (uint)count
                ? states[index]
                : throw new InvalidOperationException($"The selector {own.GetType()} chose {index} of {count} candidates: an index from 0 to {count - 1} is needed.");
        }
        finally
        {
            ArrayPool<EndpointCandidate>.Shared.Return(offers, clearArray: true);
            ArrayPool<EndpointState>.Shared.Return(states, clearArray: true);
        }
    }
}
