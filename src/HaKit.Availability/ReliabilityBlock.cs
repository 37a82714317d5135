namespace HaKit.Availability;

/// <summary>
/// A reliability block diagram. Blocks combine components in series, in parallel, as k of n, or as standbys; they can be nested to any depth. Immutable and
/// thread-safe.
/// </summary>
/// <remarks>
/// A component object is one physical unit. If the same object occurs in several places, the evaluation treats it as the same unit in several paths (by
/// factoring). Two different objects fail independently of each other and must have different names.
/// </remarks>
public abstract class ReliabilityBlock
{
    private const int MaxDepth = 500;
    private readonly ReliabilityBlock[] _parts;
    private BlockEvaluation? _evaluation;
    private object? _availability;

    private protected ReliabilityBlock(ReadOnlySpan<ReliabilityBlock> parts, bool leaf = false)
    {
        if (!leaf && parts.IsEmpty)
            throw new ArgumentException("A block needs at least one part.", nameof(parts));
        foreach (var part in parts)
        {
            if (part is null)
                throw new ArgumentException("A part is null.", nameof(parts));
            Depth = Math.Max(Depth, part.Depth + 1);
        }

        if (Depth > MaxDepth)
            throw new ArgumentException($"Blocks are nested more than {MaxDepth} deep.", nameof(parts));
        _parts = parts.ToArray();
    }

    /// <summary>Gets the probability that the block works, and its complement, each with a relative error of about 1e-15.</summary>
    /// <exception cref="InvalidOperationException">Two components share a name, or more than 20 components are repeated across the parts of one block.</exception>
    public AvailabilityRatio Availability => (AvailabilityRatio)(_availability ??= Evaluation.Availability());

    internal int Depth { get; }

    internal ReadOnlySpan<ReliabilityBlock> Parts => _parts;

    private BlockEvaluation Evaluation => _evaluation ??= new BlockEvaluation(this);

    /// <summary>Creates a unit with a known availability.</summary>
    /// <param name="name">The component's name in the importance measures; unique within a diagram.</param>
    /// <param name="availability">The component's steady-state availability.</param>
    /// <exception cref="ArgumentException"><paramref name="name"/> is null or blank.</exception>
    public static ReliabilityComponent Component(string name, AvailabilityRatio availability) => new(name, availability, null);

    /// <summary>Creates a unit with known failure and repair times. With such units the diagram also has a failure frequency.</summary>
    /// <param name="name">The component's name in the importance measures; unique within a diagram.</param>
    /// <param name="mttf">Mean time to failure, in any unit that is the same throughout the diagram; greater than zero.</param>
    /// <param name="mttr">Mean time to repair, in that unit; greater than zero.</param>
    /// <exception cref="ArgumentException"><paramref name="name"/> is null or blank.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A time is NaN, infinite, zero or negative.</exception>
    public static ReliabilityComponent Component(string name, double mttf, double mttr) =>
        new(name, AvailabilityRatio.FromMttfMttr(Guard.Positive(mttf), Guard.Positive(mttr)), mttr);

    /// <summary>Creates a block that works while all parts work.</summary>
    /// <exception cref="ArgumentException">There is no part, or one is null.</exception>
    public static ReliabilityBlock Series(params ReadOnlySpan<ReliabilityBlock> parts) => new SeriesBlock(parts);

    /// <summary>Creates a block that works while any part works.</summary>
    /// <exception cref="ArgumentException">There is no part, or one is null.</exception>
    public static ReliabilityBlock Parallel(params ReadOnlySpan<ReliabilityBlock> parts) => new ParallelBlock(parts);

    /// <summary>Creates a block that works while at least <paramref name="required"/> parts work.</summary>
    /// <param name="required">The number of parts that must be up, from 1 to the number of parts.</param>
    /// <param name="parts">The parts, with equal or different availabilities.</param>
    /// <exception cref="ArgumentException">There is no part, or one is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="required"/> is less than 1 or more than there are parts.</exception>
    public static ReliabilityBlock KofN(int required, params ReadOnlySpan<ReliabilityBlock> parts)
    {
        if (!parts.IsEmpty)
            Guard.Between(1, parts.Length, required);
        return new KofNBlock(required, parts);
    }

    /// <summary>
    /// Creates a standby block: it works while the first part works. When that part fails, a switch must work so that the next part takes over, and so on: A
    /// = a₁ + u₁·σ·(a₂ + u₂·σ·(…)).
    /// </summary>
    /// <param name="switching">σ, the probability that a switch works.</param>
    /// <param name="parts">The parts, in the order in which they serve.</param>
    /// <exception cref="ArgumentException">There is no part, or one is null.</exception>
    public static ReliabilityBlock Standby(AvailabilityRatio switching, params ReadOnlySpan<ReliabilityBlock> parts) => new StandbyBlock(switching, parts);

    /// <summary>
    /// Returns units that can fail together (β-factor model): a share β of the smallest unavailability Q is one common cause that
    /// takes all units down. Each unit keeps exactly its own availability: Qᵢ = c + (1 − c)·qᵢ with c = β·min Q.
    /// </summary>
    /// <param name="beta">β, from 0 (independent) to 1 (equal units always fail together).</param>
    /// <param name="units">The units; at least one.</param>
    /// <returns>The new units, in the same order; use them instead of the given ones. With any number of units in parallel, U stays above c.</returns>
    /// <exception cref="ArgumentException">There is no unit, or one is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="beta"/> is NaN or lies outside 0 to 1.</exception>
    public static ReliabilityBlock[] WithCommonCause(double beta, params ReadOnlySpan<ReliabilityComponent> units)
    {
        Guard.Probability(beta);
        if (units.IsEmpty)
            throw new ArgumentException("There must be at least one unit.", nameof(units));
        var least = units[0];
        foreach (var unit in units)
        {
            if (unit is null)
                throw new ArgumentException("A unit is null.", nameof(units));
            if (unit.Availability > least.Availability)
                least = unit;
        }

        if (beta == 0)
            return [.. units];
        var common = beta * least.Availability.Unavailability;
        var cause = new ReliabilityComponent($"common cause of {string.Join(", ", Names(units))}", AvailabilityRatio.FromUnavailability(common), least.Mttr);
        var result = new ReliabilityBlock[units.Length];
        for (var i = 0; i < units.Length; i++)
        {
            // Qᵢ − c, without cancellation for the unit from which c was calculated.
            var excess = units[i].Availability.Unavailability - least.Availability.Unavailability + (1 - beta) * least.Availability.Unavailability;
            var own = common == 1 ? AvailabilityRatio.Always : AvailabilityRatio.FromPair(units[i].Availability.Value / (1 - common), excess / (1 - common));
            result[i] = new SeriesBlock([cause, new ReliabilityComponent(units[i].Name, own, units[i].Mttr)]);
        }

        return result;

        static string[] Names(ReadOnlySpan<ReliabilityComponent> units)
        {
            var names = new string[units.Length];
            for (var i = 0; i < names.Length; i++)
                names[i] = units[i].Name;
            return names;
        }
    }

    /// <summary>
    /// Returns how often the block fails and its mean times up and down: frequency = Σ Birnbaum importance · component frequency (Vesely 1970; Birnbaum
    /// 1969).
    /// </summary>
    /// <returns>In the unit of the components' times.</returns>
    /// <exception cref="InvalidOperationException">
    /// A component has only an availability, without times; or the block has no <see cref="Availability"/>, for the reasons that are given there.
    /// </exception>
    public BlockTimes GetTimes()
    {
        var frequency = 0.0;
        foreach (var component in Evaluation.Components)
        {
            if (component.Mttr is not { } mttr)
                throw new InvalidOperationException($"Component '{component.Name}' has no times: give its MTTF and MTTR.");
            if (component.Availability.Unavailability > 0)
                frequency += Evaluation.Birnbaum(component) * component.Availability.Unavailability / mttr;
        }

        return new BlockTimes(frequency, Availability.Value / frequency, frequency == 0 ? 0 : Availability.Unavailability / frequency);
    }

    /// <summary>Returns the importance of each component for the block, the most critical component first.</summary>
    /// <exception cref="InvalidOperationException">The block has no <see cref="Availability"/>, for the reasons that are given there.</exception>
    public IReadOnlyList<ComponentImportance> GetImportance()
    {
        var list = new List<ComponentImportance>();
        foreach (var component in Evaluation.Components)
        {
            var birnbaum = Evaluation.Birnbaum(component);
            var unavailability = Availability.Unavailability;
            var critical = unavailability == 0 ? 0 : birnbaum * component.Availability.Unavailability / unavailability;
            list.Add(new ComponentImportance(component.Name, birnbaum, Math.Min(1, critical)));
        }

        list.Sort((x, y) => y.Criticality.CompareTo(x.Criticality));
        return list;
    }

    internal abstract AvailabilityRatio Combine(ReadOnlySpan<AvailabilityRatio> parts);

    private sealed class SeriesBlock(ReadOnlySpan<ReliabilityBlock> parts) : ReliabilityBlock(parts)
    {
        internal override AvailabilityRatio Combine(ReadOnlySpan<AvailabilityRatio> parts) => AvailabilityRatio.Series(parts);
    }

    private sealed class ParallelBlock(ReadOnlySpan<ReliabilityBlock> parts) : ReliabilityBlock(parts)
    {
        internal override AvailabilityRatio Combine(ReadOnlySpan<AvailabilityRatio> parts) => AvailabilityRatio.Parallel(parts);
    }

    private sealed class KofNBlock(int required, ReadOnlySpan<ReliabilityBlock> parts) : ReliabilityBlock(parts)
    {
        internal override AvailabilityRatio Combine(ReadOnlySpan<AvailabilityRatio> parts) => AvailabilityRatio.KofN(required, parts);
    }

    private sealed class StandbyBlock(AvailabilityRatio switching, ReadOnlySpan<ReliabilityBlock> parts) : ReliabilityBlock(parts)
    {
        internal override AvailabilityRatio Combine(ReadOnlySpan<AvailabilityRatio> parts)
        {
            var rest = parts[^1];
            for (var i = parts.Length - 2; i >= 0; i--)
                rest = AvailabilityRatio.Parallel(parts[i], AvailabilityRatio.Series(switching, rest));
            return rest;
        }
    }
}

/// <summary>One physical unit of a <see cref="ReliabilityBlock"/>. Immutable and thread-safe.</summary>
public sealed class ReliabilityComponent : ReliabilityBlock
{
    internal ReliabilityComponent(string name, AvailabilityRatio availability, double? mttr)
        : base([], leaf: true)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        Name = name;
        Availability = availability;
        Mttr = mttr;
    }

    /// <summary>Gets the component's name in the importance measures.</summary>
    public string Name { get; }

    /// <summary>Gets the component's availability.</summary>
    public new AvailabilityRatio Availability { get; }

    /// <summary>Gets the component's mean time to repair, in the diagram's unit; null when only an availability was given.</summary>
    public double? Mttr { get; }

    internal override AvailabilityRatio Combine(ReadOnlySpan<AvailabilityRatio> parts) => Availability;
}

/// <summary>The failure frequency and the mean times of a block, in the unit of its components' times.</summary>
/// <param name="FailureFrequency">The long-run number of failures per unit of time.</param>
/// <param name="MeanUpTime">A / frequency; infinite when the block never fails.</param>
/// <param name="MeanDownTime">U / frequency; zero when the block never fails.</param>
public readonly record struct BlockTimes(double FailureFrequency, double MeanUpTime, double MeanDownTime);

/// <summary>The importance of a component for its block.</summary>
/// <param name="Name">The component's name.</param>
/// <param name="Birnbaum">∂A/∂a = A(component is up) − A(component is down): the probability that this component alone decides (Birnbaum 1969).</param>
/// <param name="Criticality">Birnbaum · u / U: the probability that this component is down and caused the failure, given that the block is down.</param>
public readonly record struct ComponentImportance(string Name, double Birnbaum, double Criticality);
