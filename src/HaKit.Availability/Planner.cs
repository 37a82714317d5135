using HaKit.Availability.Numerics;

namespace HaKit.Availability;

/// <summary>
/// Calculates what a design needs to reach a target: the number of endpoints, their independence, the detection time, and the cheapest set of changes. If the
/// target cannot be reached, the value is null and the result contains the best possible availability. Pure and thread-safe.
/// </summary>
public static class Planner
{
    private const int MostChanges = 16;

    /// <summary>Returns the smallest number of equal endpoints that meets a target. The comparison uses U; an equal U meets the target.</summary>
    /// <param name="endpoint">The availability of one endpoint; above zero.</param>
    /// <param name="target">The target for at least <paramref name="required"/> of the endpoints together.</param>
    /// <param name="required">The number of endpoints that must be up, at least 1. Default 1.</param>
    /// <param name="beta">
    /// The share of an endpoint's unavailability that affects all endpoints at the same time, 0 to 1. Default 0. The unavailability stays above β·U with any
    /// number of endpoints.
    /// </param>
    /// <returns>The number of endpoints. When no number of endpoints meets the target: null, and the availability that no number exceeds.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A value is NaN or outside its range.</exception>
    /// <exception cref="OverflowException">More than 2³¹ − 1 endpoints are needed.</exception>
    public static PlanAnswer<int> EndpointsFor(AvailabilityRatio endpoint, AvailabilityRatio target, int required = 1, double beta = 0)
    {
        Guard.AtLeast(1, required);
        Guard.Probability(beta);
        if (endpoint.Value == 0)
            throw new ArgumentOutOfRangeException(nameof(endpoint), endpoint, "Endpoints that are never up reach no target.");
        var common = beta * endpoint.Unavailability;
        var shared = AvailabilityRatio.FromUnavailability(common);
        var own = AvailabilityRatio.FromPair(endpoint.Value / (1 - common), (1 - beta) * endpoint.Unavailability / (1 - common));
        if (!shared.Meets(target))
            return new PlanAnswer<int>(null, shared);

        // The common cause alone may use the whole error budget of the target. Then no finite number of endpoints is enough.
        var left = AvailabilityRatio.FromUnavailability(Math.Clamp((target.Unavailability * (1 + Precise.Slack) - common) / (1 - common), 0, 1));
        if (left.Unavailability == 0 && own.Unavailability > 0)
            return new PlanAnswer<int>(null, shared);
        var count = Capacity.InstancesFor(required, own, left);
        return new PlanAnswer<int>(count, AvailabilityRatio.Series(shared, Capacity.AtLeast(required, count, own)));
    }

    /// <summary>Returns the longest detection time with which a design meets a target.</summary>
    /// <param name="design">The design. Its detection time is ignored.</param>
    /// <param name="target">The target of the pool.</param>
    /// <returns>The detection time, at most one day. When the target cannot be reached, the result contains the availability with instant detection.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="design"/> is null.</exception>
    public static PlanAnswer<TimeSpan> DetectionFor(PoolDesign design, AvailabilityRatio target)
    {
        ArgumentNullException.ThrowIfNull(design);
        var most = TimeSpan.FromDays(1).Ticks;
        return Largest(most, x => (design with { Detection = new TimeSpan((long)x) }).Evaluate().Availability, target, x => new TimeSpan((long)x));
    }

    /// <summary>Returns the largest β, that is the least independence, with which a design meets a target.</summary>
    /// <param name="design">The design. Its β is ignored.</param>
    /// <param name="target">The target of the pool.</param>
    /// <returns>The largest sufficient β, from 0 to 1. When no β is sufficient, the result contains the availability of full independence.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="design"/> is null.</exception>
    public static PlanAnswer<double> BetaFor(PoolDesign design, AvailabilityRatio target)
    {
        ArgumentNullException.ThrowIfNull(design);
        return Largest(1, x => (design with { Beta = x }).Evaluate().Availability, target, x => x);
    }

    /// <summary>Evaluates each change alone and returns the results, the largest gain first.</summary>
    /// <param name="design">The current design.</param>
    /// <param name="changes">The possible changes.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    public static IReadOnlyList<PlanOutcome> WhatIf(PoolDesign design, IEnumerable<PlanChange> changes)
    {
        var outcomes = Try(design, changes);
        outcomes.Sort((x, y) => y.Gain.CompareTo(x.Gain));
        return outcomes;
    }

    /// <summary>Evaluates each change alone and returns the results, the largest gain per cost first. Changes without cost come first.</summary>
    /// <inheritdoc cref="WhatIf" path="/param"/>
    /// <inheritdoc cref="WhatIf" path="/exception"/>
    public static IReadOnlyList<PlanOutcome> WhatIfByCost(PoolDesign design, IEnumerable<PlanChange> changes)
    {
        var outcomes = Try(design, changes);
        outcomes.Sort((x, y) => (y.Gain * x.Cost).CompareTo(x.Gain * y.Cost) is var order and not 0 ? order : y.Gain.CompareTo(x.Gain));
        return outcomes;
    }

    /// <summary>
    /// Returns the cheapest set of changes with which a design meets a target, by trying all sets. Among sets of equal cost it returns the one with the
    /// largest gain.
    /// </summary>
    /// <param name="design">The current design.</param>
    /// <param name="target">The target of the pool.</param>
    /// <param name="changes">The possible changes, at most 16, applied in the given order.</param>
    /// <returns>The set of changes, and the best availability of all sets.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException">There are more than 16 changes.</exception>
    public static CheapestPlan Cheapest(PoolDesign design, AvailabilityRatio target, IReadOnlyList<PlanChange> changes)
    {
        ArgumentNullException.ThrowIfNull(design);
        ArgumentNullException.ThrowIfNull(changes);
        if (changes.Count > MostChanges)
            throw new ArgumentException($"At most {MostChanges} changes can be combined.", nameof(changes));
        var before = design.Evaluate().Availability;
        PlanOutcome? best = null;
        var limit = before;
        for (var set = 0; set < 1 << changes.Count; set++)
        {
            var outcome = Apply(design, before, [.. changes.Where((_, i) => (set >> i & 1) == 1)]);
            if (outcome.Availability > limit)
                limit = outcome.Availability;
            if (!outcome.Availability.Meets(target))
                continue;
            if (best is null || outcome.Cost < best.Cost || (outcome.Cost == best.Cost && outcome.Gain > best.Gain))
                best = outcome;
        }

        return new CheapestPlan(best, limit);
    }

    private static List<PlanOutcome> Try(PoolDesign design, IEnumerable<PlanChange> changes)
    {
        ArgumentNullException.ThrowIfNull(design);
        ArgumentNullException.ThrowIfNull(changes);
        var before = design.Evaluate().Availability;
        var outcomes = new List<PlanOutcome>();
        foreach (var change in changes)
            outcomes.Add(Apply(design, before, [change]));
        return outcomes;
    }

    private static PlanOutcome Apply(PoolDesign design, AvailabilityRatio before, PlanChange[] changes)
    {
        var cost = 0.0;
        foreach (var change in changes)
        {
            design = change.Apply(design);
            cost += change.Cost;
        }

        var after = design.Evaluate().Availability;
        return new PlanOutcome(changes, design, after, before.Unavailability - after.Unavailability, cost);
    }

    private static PlanAnswer<T> Largest<T>(double most, Func<double, AvailabilityRatio> reached, AvailabilityRatio target, Func<double, T> answer)
        where T : struct
    {
        var limit = reached(0);
        if (!limit.Meets(target))
            return new PlanAnswer<T>(null, limit);
        if (reached(most).Meets(target))
            return new PlanAnswer<T>(answer(most), reached(most));
        double low = 0, high = most;
        for (var i = 0; i < 200 && high - low > Precise.Slack * high; i++)
        {
            var middle = (low + high) / 2;
            if (reached(middle).Meets(target))
                low = middle;
            else
                high = middle;
        }

        return new PlanAnswer<T>(answer(low), reached(low));
    }
}

/// <summary>An answer of the planner.</summary>
/// <param name="Value">Null when the target is unreachable.</param>
/// <param name="Reached">The availability that the answer reaches; when the target cannot be reached, the best possible availability.</param>
public readonly record struct PlanAnswer<T>(T? Value, AvailabilityRatio Reached)
    where T : struct
{
    /// <summary>Gets whether there is an answer.</summary>
    public bool IsReachable => Value is not null;
}

/// <summary>A possible change of a design.</summary>
public sealed record PlanChange
{
    /// <summary>Creates a change.</summary>
    /// <param name="name">The name of the change in the answer.</param>
    /// <param name="cost">The cost, in any one unit; zero or greater.</param>
    /// <param name="apply">Returns the design with the change.</param>
    /// <exception cref="ArgumentException"><paramref name="name"/> is null or blank.</exception>
    /// <exception cref="ArgumentNullException"><paramref name="apply"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="cost"/> is NaN, infinite or negative.</exception>
    public PlanChange(string name, double cost, Func<PoolDesign, PoolDesign> apply)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentNullException.ThrowIfNull(apply);
        Name = name;
        Cost = Guard.NotNegative(cost);
        Apply = apply;
    }

    /// <summary>Gets the name of the change in the answer.</summary>
    public string Name { get; }

    /// <summary>Gets the cost of the change.</summary>
    public double Cost { get; }

    /// <summary>Applies the change to a design.</summary>
    public Func<PoolDesign, PoolDesign> Apply { get; }
}

/// <summary>The result of making changes.</summary>
/// <param name="Changes">The changes.</param>
/// <param name="Design">The design with the changes.</param>
/// <param name="Availability">The availability of the pool with the changes.</param>
/// <param name="Gain">The unavailability that the changes save; negative when the design became worse.</param>
/// <param name="Cost">The cost of all changes.</param>
public sealed record PlanOutcome(IReadOnlyList<PlanChange> Changes, PoolDesign Design, AvailabilityRatio Availability, double Gain, double Cost);

/// <summary>The cheapest set of changes for a target.</summary>
/// <param name="Way">The set; null when no set of the changes reaches the target.</param>
/// <param name="Limit">The best availability of all sets.</param>
public sealed record CheapestPlan(PlanOutcome? Way, AvailabilityRatio Limit);
