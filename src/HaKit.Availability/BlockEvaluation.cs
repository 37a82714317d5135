using System.Runtime.InteropServices;

namespace HaKit.Availability;

/// <summary>
/// Evaluates one diagram. If a component occurs more than once, the smallest block that contains all its occurrences is evaluated
/// twice: with the component up (A₁, U₁) and with the component down (A₀, U₀). The results are weighted by the component's availability a
/// and unavailability u: A = a·A₁ + u·A₀, U = a·U₁ + u·U₀. All terms are positive, so no digits are lost in a difference.
/// </summary>
internal sealed class BlockEvaluation
{
    private const int MaxPivots = 20;
    private readonly ReliabilityBlock _root;
    private readonly Dictionary<ReliabilityBlock, List<ReliabilityComponent>>? _pivots;

    public BlockEvaluation(ReliabilityBlock root)
    {
        _root = root;
        var occurrences = new Dictionary<ReliabilityComponent, int>(ReferenceEqualityComparer.Instance);
        CountOccurrences(root, occurrences);
        Components = [.. occurrences.Keys];
        var names = new HashSet<string>(Components.Count, StringComparer.Ordinal);
        foreach (var component in Components)
        {
            if (!names.Add(component.Name))
                throw new InvalidOperationException($"Two components are named '{component.Name}': use one object for one unit, or two names.");
        }

        if (occurrences.Count == Occurrences(occurrences))
            return;
        var repeated = new Dictionary<ReliabilityComponent, int>(ReferenceEqualityComparer.Instance);
        foreach (var (component, count) in occurrences)
        {
            if (count > 1)
                repeated.Add(component, count);
        }

        _pivots = new Dictionary<ReliabilityBlock, List<ReliabilityComponent>>(ReferenceEqualityComparer.Instance);
        Place(root, repeated);
    }

    public IReadOnlyList<ReliabilityComponent> Components { get; }

    public AvailabilityRatio Availability() => Evaluate(_root, null);

    /// <summary>
    /// Returns A(component is up) − A(component is down). It is calculated from the availabilities or from the unavailabilities, whichever are smaller.
    /// </summary>
    public double Birnbaum(ReliabilityComponent component)
    {
        var decided = new Dictionary<ReliabilityComponent, AvailabilityRatio>(ReferenceEqualityComparer.Instance)
        {
            [component] = AvailabilityRatio.Always,
        };
        var with = Evaluate(_root, decided);
        decided[component] = AvailabilityRatio.Never;
        var without = Evaluate(_root, decided);
        return without.Unavailability <= 0.5 ? without.Unavailability - with.Unavailability : with.Value - without.Value;
    }

    private static int Occurrences(Dictionary<ReliabilityComponent, int> occurrences)
    {
        var sum = 0;
        foreach (var count in occurrences.Values)
            sum += count;
        return sum;
    }

    private static void CountOccurrences(ReliabilityBlock block, Dictionary<ReliabilityComponent, int> occurrences)
    {
        if (block is ReliabilityComponent component)
        {
            CollectionsMarshal.GetValueRefOrAddDefault(occurrences, component, out _)++;
            return;
        }

        foreach (var part in block.Parts)
            CountOccurrences(part, occurrences);
    }

    /// <summary>Counts the repeated components below a block, and assigns each to the first block that contains all its occurrences.</summary>
    private Dictionary<ReliabilityComponent, int> Place(ReliabilityBlock block, Dictionary<ReliabilityComponent, int> repeated)
    {
        var below = new Dictionary<ReliabilityComponent, int>(ReferenceEqualityComparer.Instance);
        if (block is ReliabilityComponent component)
        {
            if (repeated.ContainsKey(component))
                below.Add(component, 1);
            return below;
        }

        foreach (var part in block.Parts)
        {
            foreach (var (found, count) in Place(part, repeated))
                CollectionsMarshal.GetValueRefOrAddDefault(below, found, out _) += count;
        }

        var complete = new List<ReliabilityComponent>();
        foreach (var (found, count) in below)
        {
            if (count == repeated[found])
                complete.Add(found);
        }

        if (complete.Count == 0)
            return below;
        if (complete.Count > MaxPivots)
            throw new InvalidOperationException($"{complete.Count} components are repeated across the parts of one block; at most {MaxPivots} can be evaluated.");
        _pivots![block] = complete;
        foreach (var found in complete)
            below.Remove(found);
        return below;
    }

    private AvailabilityRatio Evaluate(ReliabilityBlock block, Dictionary<ReliabilityComponent, AvailabilityRatio>? decided)
    {
        if (block is ReliabilityComponent component)
            return AvailabilityOf(component, decided);
        if (_pivots is not null && _pivots.TryGetValue(block, out var pivots))
            return Decide(block, pivots, 0, decided ?? new Dictionary<ReliabilityComponent, AvailabilityRatio>(ReferenceEqualityComparer.Instance));
        return Combine(block, decided);
    }

    private AvailabilityRatio Decide(ReliabilityBlock block, List<ReliabilityComponent> pivots, int next, Dictionary<ReliabilityComponent, AvailabilityRatio> decided)
    {
        if (next == pivots.Count)
            return Combine(block, decided);
        var pivot = pivots[next];
        var had = decided.TryGetValue(pivot, out var before);
        var own = had ? before : pivot.Availability;
        decided[pivot] = AvailabilityRatio.Always;
        var with = own.Value == 0 ? default : Decide(block, pivots, next + 1, decided);
        decided[pivot] = AvailabilityRatio.Never;
        var without = own.Unavailability == 0 ? default : Decide(block, pivots, next + 1, decided);
        if (had)
            decided[pivot] = before;
        else
            decided.Remove(pivot);
        return AvailabilityRatio.FromPair(
            own.Value * with.Value + own.Unavailability * without.Value,
            own.Value * with.Unavailability + own.Unavailability * without.Unavailability);
    }

    private AvailabilityRatio Combine(ReliabilityBlock block, Dictionary<ReliabilityComponent, AvailabilityRatio>? decided)
    {
        var parts = block.Parts;
        Span<AvailabilityRatio> values = parts.Length <= 64 ? stackalloc AvailabilityRatio[parts.Length] : new AvailabilityRatio[parts.Length];
        for (var i = 0; i < parts.Length; i++)
            values[i] = Evaluate(parts[i], decided);
        return block.Combine(values);
    }

    private static AvailabilityRatio AvailabilityOf(ReliabilityComponent component, Dictionary<ReliabilityComponent, AvailabilityRatio>? decided) =>
        decided is not null && decided.TryGetValue(component, out var value) ? value : component.Availability;
}
