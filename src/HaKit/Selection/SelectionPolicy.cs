namespace HaKit.Selection;

/// <summary>Says which candidates are compared, and in which order.</summary>
internal enum VisitOrder
{
    /// <summary>A weighted sample, compared by score.</summary>
    Sample,

    /// <summary>All candidates, compared by score. A preset that looks for an extreme must not miss it.</summary>
    All,

    /// <summary>One candidate after the other, each as often as its weight says.</summary>
    WeightedRoundRobin,

    /// <summary>One candidate after the other.</summary>
    RoundRobin,

    /// <summary>The candidates in the order in which they are listed.</summary>
    Listed,
}

/// <summary>Holds a preset with the pool's settings as plain numbers, as the pipeline reads them. Immutable.</summary>
internal sealed class SelectionPolicy
{
    // This factor outweighs any queue, and leaves the score enough digits to decide between equal values.
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

    /// <summary>Gets whether the measured time of an endpoint counts. If not, every call counts the same.</summary>
    public bool IsLatencyAware { get; }

    public bool IsLoadAware { get; }

    private static double Weighed(TermWeight weight, double setting) => weight switch
    {
        TermWeight.AsSet => setting,
        TermWeight.Decisive => Decisive,
        _ => 0,
    };
}
