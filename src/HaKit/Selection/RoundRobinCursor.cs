namespace HaKit.Selection;

/// <summary>
/// Holds the position in the round-robin order. All calls share the cursor. The cursor is kept from snapshot to snapshot, so that a change of an endpoint's
/// health does not restart the round. Thread-safe.
/// </summary>
/// <param name="start">The first position; at least 0.</param>
internal sealed class RoundRobinCursor(long start = 0)
{
    private long _next = start - 1;

    public long Advance() => Interlocked.Increment(ref _next) & long.MaxValue;
}

/// <summary>Computes a whole round of smooth weighted round robin in advance, so that a choice is one interlocked increment.</summary>
internal static class SmoothOrder
{
    private const int Longest = 10_000;

    // Above this number of candidates, nginx's algorithm is too slow, because it compares all candidates for each position.
    private const int MostCompared = 200;

    /// <summary>Computes the order of the candidates in one round, as their indexes.</summary>
    public static int[] Compute(Candidate[] candidates)
    {
        var weights = WholeWeights(candidates);
        return weights.Length <= MostCompared ? Smooth(weights) : Spread(weights);
    }

    private static int[] Smooth(long[] weights)
    {
        var current = new long[weights.Length];
        var order = new int[weights.Sum()];
        for (var i = 0; i < order.Length; i++)
        {
            var best = 0;
            for (var c = 0; c < weights.Length; c++)
            {
                current[c] += weights[c];
                if (current[c] > current[best])
                    best = c;
            }
            current[best] -= order.Length;
            order[i] = best;
        }
        return order;
    }

    // Places each candidate at even distances, with different starting points. The order is nearly as smooth as nginx's order, and computing it takes as long
    // as one sort.
    private static int[] Spread(long[] weights)
    {
        var places = weights.SelectMany((weight, index) => Enumerable.Range(0, (int)weight).Select(n => (At: (n + (index + 0.5) / weights.Length) / weight, index)));
        return [.. places.OrderBy(place => place.At).ThenBy(place => place.index).Select(place => place.index)];
    }

    // Replaces the weights by whole numbers. Their sum is the number of positions in a round. Uses the smallest whole numbers that keep the proportions within 1 %,
    // if the smallest weight becomes at most 100 and the round has at most Longest positions. Otherwise each weight is rounded to a multiple of a unit, at least
    // one unit. The unit is the smallest weight, or a larger value if the round would be too long.
    private static long[] WholeWeights(Candidate[] candidates)
    {
        var smallest = candidates.Min(c => c.Weight);
        for (var scale = 1; scale <= 100; scale++)
        {
            var whole = candidates.Select(c => c.Weight / smallest * scale).ToArray();
            if (whole.Sum() > Longest)
                break;
            if (Array.TrueForAll(whole, w => Math.Abs(w - Math.Round(w)) <= 0.01 * w))
                return [.. whole.Select(w => (long)Math.Round(w))];
        }
        var unit = Math.Max(smallest, candidates.Sum(c => c.Weight) / Longest);
        return [.. candidates.Select(c => Math.Max(1, (long)Math.Round(c.Weight / unit)))];
    }
}
