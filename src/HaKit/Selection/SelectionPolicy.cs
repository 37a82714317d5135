namespace HaKit.Selection;

/// <summary>How candidates are looked at.</summary>
internal enum Walk
{
    /// <summary>A weighted sample, compared by score.</summary>
    Sample,

    /// <summary>All, compared by score: what looks for an extreme must not miss it.</summary>
    All,

    /// <summary>One after the other, each as often as its weight says.</summary>
    WeightedTurn,

    /// <summary>One after the other.</summary>
    PlainTurn,

    /// <summary>In the order in which they are listed.</summary>
    Listed,
}

/// <summary>A preset with its settings as plain numbers: what the pipeline reads. Immutable.</summary>
internal sealed class SelectionPolicy
{
    // Outweighs any queue, and leaves the rest of the score enough digits to decide among equals.
    private const double Decisive = 1e6;

    public SelectionPolicy(SelectionOptions options)
    {
        var preset = options.Preset;
        Walk = preset switch
        {
            SelectionPreset.RoundRobin => Walk.PlainTurn,
            SelectionPreset.Weighted => Walk.WeightedTurn,
            SelectionPreset.Priority => Walk.Listed,
            SelectionPreset.Nearest when options.Zone is null => Walk.All,
            SelectionPreset.Cheapest => Walk.All,
            _ => Walk.Sample,
        };
        Sample = preset == SelectionPreset.Random ? 1 : options.Sample;
        StrictTiers = options.StrictTiers || preset == SelectionPreset.Priority;
        OverProvisioning = options.OverProvisioning;
        FailOpenBelow = options.FailOpenBelow;
        HasAffinity = preset is SelectionPreset.Adaptive or SelectionPreset.Sticky;
        AffinityLoad = options.AffinityLoad;
        Zone = preset is SelectionPreset.Adaptive or SelectionPreset.Sticky or SelectionPreset.Cheapest or SelectionPreset.Nearest ? options.Zone : null;
        ZonePenalty = preset == SelectionPreset.Nearest ? Decisive : options.ZonePenalty.TotalSeconds;
        SecondsPerPrice = preset switch
        {
            SelectionPreset.Adaptive or SelectionPreset.Sticky => options.SecondsPerPrice,
            SelectionPreset.Cheapest => Decisive,
            _ => 0,
        };
        IsLatencyAware = preset is not (SelectionPreset.LeastOutstanding or SelectionPreset.Random);
        IsLoadAware = !(preset == SelectionPreset.Nearest && options.Zone is null);
    }

    public Walk Walk { get; }

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
}
