namespace HaKit.Endpoints;

/// <summary>The members of a pool at one moment, ordered by tier. Immutable; a new one is swapped in when membership or eligibility changes.</summary>
internal sealed class PoolSnapshot
{
    public PoolSnapshot(EndpointState[] members, int firstTier)
    {
        Members = members;
        FirstTier = firstTier;
        Tiers = [.. members
            .GroupBy(m => m.Endpoint.Tier)
            .OrderBy(g => g.Key >= firstTier ? 0 : 1).ThenBy(g => g.Key)
            .Select(g => new Tier(g.Key, [.. g]))];
    }

    public EndpointState[] Members { get; }

    /// <summary>In the order in which they are used.</summary>
    public Tier[] Tiers { get; }

    /// <summary>The tier that an operator made primary; tiers before it are used last.</summary>
    public int FirstTier { get; }
}

/// <summary>The members of one tier, with the order in which smooth weighted round robin visits them.</summary>
internal sealed class Tier
{
    private const int LongestTurn = 10_000;
    private readonly int[] _turn;
    private long _next = -1;

    public Tier(int number, EndpointState[] members)
    {
        Number = number;
        Members = members;
        _turn = SmoothTurn(members);
    }

    public int Number { get; }

    public EndpointState[] Members { get; }

    public int TurnLength => _turn.Length;

    /// <summary>The next position in the endless turn.</summary>
    public long Advance() => Interlocked.Increment(ref _next) & long.MaxValue;

    public EndpointState At(long position) => Members[_turn[position % _turn.Length]];

    // nginx's smooth weighted round robin, run once over one whole turn, so that a pick is one interlocked increment.
    private static int[] SmoothTurn(EndpointState[] members)
    {
        var weights = WholeWeights(members);
        var current = new long[weights.Length];
        var turn = new int[weights.Sum()];
        for (var i = 0; i < turn.Length; i++)
        {
            var best = 0;
            for (var m = 0; m < weights.Length; m++)
            {
                current[m] += weights[m];
                if (current[m] > current[best])
                    best = m;
            }
            current[best] -= turn.Length;
            turn[i] = best;
        }
        return turn;
    }

    // The smallest whole numbers that keep the proportions within 1 %, if a turn of at most LongestTurn has room for them.
    private static long[] WholeWeights(EndpointState[] members)
    {
        var smallest = members.Min(m => m.Endpoint.Weight);
        for (var scale = 1; scale <= 100; scale++)
        {
            var whole = members.Select(m => m.Endpoint.Weight / smallest * scale).ToArray();
            if (whole.Sum() > LongestTurn)
                break;
            if (whole.All(w => Math.Abs(w - Math.Round(w)) <= 0.01 * w))
                return [.. whole.Select(w => (long)Math.Round(w))];
        }
        var unit = Math.Max(smallest, members.Sum(m => m.Endpoint.Weight) / LongestTurn);
        return [.. members.Select(m => Math.Max(1, (long)Math.Round(m.Endpoint.Weight / unit)))];
    }
}
