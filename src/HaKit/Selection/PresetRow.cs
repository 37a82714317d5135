namespace HaKit.Selection;

/// <summary>The weight of a term of the score.</summary>
internal enum TermWeight
{
    None,

    /// <summary>The term has the weight of the pool's setting.</summary>
    AsSet,

    /// <summary>The term counts more than all other terms together.</summary>
    Decisive,
}

/// <summary>Describes one preset as a row of settings. All presets use the same selection code. To add a preset, add a row.</summary>
internal sealed record PresetRow(VisitOrder Order)
{
    /// <summary>Gets whether one candidate is drawn by weight, without a comparison of scores.</summary>
    public bool SamplesOne { get; init; }

    /// <summary>Gets whether a tier is used only if the earlier tiers have no endpoint for the request.</summary>
    public bool HasStrictTiers { get; init; }

    /// <summary>Gets whether the affinity keys of requests are used.</summary>
    public bool HasAffinity { get; init; }

    public TermWeight Zone { get; init; }

    public TermWeight Price { get; init; }

    public bool IsLatencyAware { get; init; } = true;

    public bool IsLoadAware { get; init; } = true;

    private static readonly PresetRow s_adaptive = new(VisitOrder.Sample) { HasAffinity = true, Zone = TermWeight.AsSet, Price = TermWeight.AsSet };

    private static readonly Dictionary<SelectionPreset, PresetRow> s_rows = new()
    {
        [SelectionPreset.Adaptive] = s_adaptive,
        [SelectionPreset.RoundRobin] = new(VisitOrder.RoundRobin),
        [SelectionPreset.Weighted] = new(VisitOrder.WeightedRoundRobin),
        [SelectionPreset.Random] = new(VisitOrder.Sample) { SamplesOne = true, IsLatencyAware = false },
        [SelectionPreset.LeastOutstanding] = new(VisitOrder.Sample) { IsLatencyAware = false },
        [SelectionPreset.Latency] = new(VisitOrder.Sample),
        [SelectionPreset.Nearest] = new(VisitOrder.Sample) { Zone = TermWeight.Decisive },
        [SelectionPreset.Sticky] = s_adaptive,
        [SelectionPreset.Cheapest] = new(VisitOrder.All) { Zone = TermWeight.AsSet, Price = TermWeight.Decisive },
        [SelectionPreset.Priority] = new(VisitOrder.Listed) { HasStrictTiers = true },
    };

    // If the pool has no zone, the endpoint with the shortest measured time to an answer counts as the nearest, independent of its load.
    private static readonly PresetRow s_nearestWithoutZone = new(VisitOrder.All) { IsLoadAware = false };

    public static PresetRow Find(SelectionPreset preset, bool hasZone) =>
        preset == SelectionPreset.Nearest && !hasZone ? s_nearestWithoutZone : s_rows[preset];
}
