using HaKit.Attempts;
using HaKit.Estimates;

namespace HaKit.Selection;

/// <summary>Holds the data of one endpoint that selection needs and that does not change within a snapshot.</summary>
internal readonly struct Candidate(EndpointState state, bool isInSlowStart, bool isLocal)
{
    public readonly EndpointState State = state;
    public readonly double Weight = state.Endpoint.Weight;
    public readonly double PerWeight = 1 / state.Endpoint.Weight;
    public readonly ulong NameHash = Rendezvous.Hash(state.Endpoint.Name);

    /// <summary>True while the endpoint's share still grows.</summary>
    public readonly bool IsInSlowStart = isInSlowStart;

    public readonly bool IsLocal = isLocal;

    /// <summary>Gets the factor by which slow start multiplies the endpoint's weight, from 0 to 1.</summary>
    public double SlowStartShare(TimeSpan now) => IsInSlowStart ? State.Health.State.SlowStartShare(now) : 1;
}

/// <summary>Draws candidates by weight in constant time (Walker's alias method, in Vose's form). Immutable.</summary>
internal sealed class CandidateGroup
{
    private readonly Column[]? _columns;

    private readonly record struct Column(uint Threshold, int Alias);

    public CandidateGroup(Candidate[] candidates)
    {
        Candidates = candidates;
        AreEqual = Array.TrueForAll(candidates, c => c.Weight == candidates[0].Weight);
        _columns = AreEqual ? null : Columns(candidates);
        foreach (ref readonly var candidate in candidates.AsSpan())
            TotalWeight += candidate.Weight;
    }

    public Candidate[] Candidates { get; }

    public int Count => Candidates.Length;

    public bool AreEqual { get; }

    public double TotalWeight { get; }

    public int Draw(ref Dice dice)
    {
        var product = (ulong)dice.Next() * (uint)Candidates.Length;
        var column = (int)(product >> 32);
        return _columns is not { } columns || (uint)product < columns[column].Threshold ? column : columns[column].Alias;
    }

    /// <summary>Draws a candidate other than <paramref name="first"/>, by weight. The group has at least two candidates.</summary>
    public int DrawOther(int first, ref Dice dice)
    {
        if (!AreEqual)
        {
            for (var tries = 0; tries < 8; tries++)
            {
                if (Draw(ref dice) is var drawn && drawn != first)
                    return drawn;
            }
        }
        // If one candidate has nearly all the weight, rejection sampling would take too long. Any other candidate is then good enough.
        var other = dice.Next(Candidates.Length - 1);
        return other < first ? other : other + 1;
    }

    private static Column[] Columns(Candidate[] candidates)
    {
        var count = candidates.Length;
        var mean = candidates.Average(c => c.Weight);
        var height = Array.ConvertAll(candidates, c => c.Weight / mean);
        var columns = new Column[count];
        var isSet = new bool[count];
        var small = new Stack<int>();
        var large = new Stack<int>();
        for (var i = 0; i < count; i++)
            (height[i] < 1 ? small : large).Push(i);
        while (small.TryPop(out var low) && large.TryPop(out var high))
        {
            (columns[low], isSet[low]) = (new Column((uint)(height[low] * uint.MaxValue), high), true);
            height[high] -= 1 - height[low];
            (height[high] < 1 ? small : large).Push(high);
        }
        // The remaining entries have the value 1, apart from rounding errors. A small entry without a partner has the value 1 too.
        for (var i = 0; i < count; i++)
        {
            if (!isSet[i])
                columns[i] = new Column(uint.MaxValue, i);
        }

        return columns;
    }
}
