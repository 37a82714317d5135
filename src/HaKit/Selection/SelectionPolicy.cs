namespace HaKit.Selection;

/// <summary>The rule by which candidates are visited and compared.</summary>
internal enum VisitOrder
{
    /// <summary>A weighted sample, compared by score.</summary>
    Sample,

    /// <summary>All candidates, compared by score. For presets that need the best candidate of all, such as the cheapest.</summary>
    All,

    /// <summary>One candidate after the other, in proportion to their weights.</summary>
    WeightedRoundRobin,

    /// <summary>One candidate after the other.</summary>
    RoundRobin,

    /// <summary>The candidates in the order in which they are listed.</summary>
    Listed,
}

/// <summary>Holds a preset and the pool's settings as plain numbers for the selection. Immutable.</summary>
internal sealed class SelectionPolicy
{
    // This factor is larger than the effect of any queue. The score still has enough digits to compare candidates whose decisive term is equal.
    private const double Decisive = 1e6;

    /// <param name="options">The pool's settings.</param>
    /// <param name="patienceWithTrials">
    /// The time for which a trial must have been due before a call that must not be repeated makes it. Null: the default of <see
    /// cref="Health.HealthOptions.MaxBreakDuration"/>.
    /// </param>
    public SelectionPolicy(SelectionOptions options, TimeSpan? patienceWithTrials = null)
    {
        PatienceWithTrials = patienceWithTrials ?? TimeSpan.FromSeconds(300);
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

    /// <summary>Gets the time for which a trial must have been due before a call that must not be repeated makes it.</summary>
    public TimeSpan PatienceWithTrials { get; }

    public int Sample { get; }

    public bool StrictTiers { get; }

    public double OverProvisioning { get; }

    public double FailOpenBelow { get; }

    public bool HasAffinity { get; }

    public double AffinityLoad { get; }

    public string? Zone { get; }

    public double ZonePenalty { get; }

    public double SecondsPerPrice { get; }

    /// <summary>Gets whether the measured time of an endpoint counts. If not, all endpoints are assumed to be equally fast.</summary>
    public bool IsLatencyAware { get; }

    public bool IsLoadAware { get; }

    private static double Weighed(TermWeight weight, double setting) => weight switch
    {
        TermWeight.AsSet => setting,
        TermWeight.Decisive => Decisive,
        _ => 0,
    };
}
