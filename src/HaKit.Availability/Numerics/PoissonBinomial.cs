using System.Numerics;

namespace HaKit.Availability.Numerics;

/// <summary>The distribution of the number of units that are up, for independent units with different availabilities.</summary>
internal static class PoissonBinomial
{
    // A smaller probability does not change a double result, and arithmetic with subnormal numbers is slow.
    private const double Negligible = 1e-290;

    /// <summary>
    /// Returns P(at least <paramref name="required"/> up) and its complement. Counts the units that are up, or the units that are down, depending on which
    /// count is decided earlier. The decision is an absorbing state: O(n·min(k, n−k+1)) additions of positive numbers.
    /// </summary>
    public static AvailabilityRatio AtLeast(int required, ReadOnlySpan<AvailabilityRatio> units)
    {
        if (required <= 0)
            return AvailabilityRatio.Always;
        if (required > units.Length)
            return AvailabilityRatio.Never;
        var fatal = units.Length - required + 1;
        var countUps = required <= fatal;
        var states = countUps ? required : fatal;
        Span<double> open = states <= 64 ? stackalloc double[states] : new double[states];
        open.Clear();
        open[0] = 1;
        var decided = 0.0;
        var seen = 0;
        foreach (var unit in units)
        {
            var (step, stay) = countUps ? (unit.Value, unit.Unavailability) : (unit.Unavailability, unit.Value);
            if (seen >= states - 1)
                decided = Math.FusedMultiplyAdd(open[states - 1], step, decided);
            Advance(open[..Math.Min(seen + 2, states)], step, stay);
            seen++;
        }

        var undecided = 0.0;
        foreach (var p in open)
            undecided += p;
        return countUps ? AvailabilityRatio.FromPair(decided, undecided) : AvailabilityRatio.FromPair(undecided, decided);
    }

    /// <summary>p[j] ← p[j]·stay + p[j−1]·step, in place from the top.</summary>
    private static void Advance(Span<double> p, double step, double stay)
    {
        var j = p.Length;
        if (Vector.IsHardwareAccelerated)
        {
            var (vStep, vStay, floor) = (new Vector<double>(step), new Vector<double>(stay), new Vector<double>(Negligible));
            for (; j > Vector<double>.Count; j -= Vector<double>.Count)
            {
                var here = p[(j - Vector<double>.Count)..];
                var next = new Vector<double>(here) * vStay + new Vector<double>(p[(j - Vector<double>.Count - 1)..]) * vStep;
                Vector.ConditionalSelect(Vector.LessThan(next, floor), Vector<double>.Zero, next).CopyTo(here);
            }
        }

        for (j--; j > 0; j--)
        {
            var next = Math.FusedMultiplyAdd(p[j], stay, p[j - 1] * step);
            p[j] = next < Negligible ? 0 : next;
        }

        p[0] = p[0] * stay < Negligible ? 0 : p[0] * stay;
    }
}
