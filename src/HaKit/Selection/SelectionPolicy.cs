namespace HaKit.Selection;

/// <summary>In which order candidates are looked at, and which of them.</summary>
internal enum VisitOrder
{
    /// <summary>A weighted sample, compared by score.</summary>
    Sample,

    /// <summary>All, compared by score: what looks for an extreme must not miss it.</summary>
    All,

    /// <summary>One after the other, each as often as its weight says.</summary>
    WeightedRoundRobin,

    /// <summary>One after the other.</summary>
    RoundRobin,

    /// <summary>In the order in which they are listed.</summary>
    Listed,
}

/// <summary>A preset with the pool's settings as plain numbers: what the pipeline reads. Immutable.</summary>
internal sealed class SelectionPolicy
{
    // Outweighs any queue, and leaves the rest of the score enough digits to decide among equals.
    private const double Decisive = 1e6;

    public SelectionPolicy(SelectionOptions options)
    {
        var row = PresetRow.Find(options.Preset, hasZone: options.Zone is not null);
        Order = row.Order;
        Sample = row.SamplesOne ? 1 : options.Sample;
        StrictTiers = options.StrictTiers || row.HasStrictTiers;
        OverProvisioning = options.OverProvisioning;
        FailOpenBelow = options.FailOpenBelow;
        HasAffinity = row.HasAffinity;
        AffinityLoad = options.AffinityLoad;
        Zone = row.Zone == TermWeight.None ? null : options.Zone;
        ZonePenalty = Weighed(row.Zone, options.ZonePenalty.TotalSeconds);
        SecondsPerPrice = Weighed(row.Price, options.SecondsPerPrice);
        IsLatencyAware = row.IsLatencyAware;
        IsLoadAware = row.IsLoadAware;
    }

    public VisitOrder Order { get; }

    public int Sample { get; }

    public bool StrictTiers { get; }

    public double OverProvisioning { get; }

    public double FailOpenBelow { get; }

    public bool HasAffinity { get; }

    public double AffinityLoad { get; }

    public string? Zone { get; }

    public double ZonePenalty { get; }

    public double SecondsPerPrice { get; }

    /// <summary>Does an endpoint's own time count, or is a call a call?</summary>
    public bool IsLatencyAware { get; }

    public bool IsLoadAware { get; }

    private static double Weighed(TermWeight weight, double setting) => weight switch
    {
        TermWeight.AsSet => setting,
        TermWeight.Decisive => Decisive,
        _ => 0,
    };
}
