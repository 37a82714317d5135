namespace HaKit.Selection;

/// <summary>How endpoints of a tier are chosen. All of them are settings of the same pipeline, and go with any tiers.</summary>
public enum SelectionPreset
{
    /// <summary>The least expected cost in seconds of a weighted sample: load, latency, failures, zone and price together; affinity keys are honoured.</summary>
    Adaptive,

    /// <summary>One after the other; weights do not count.</summary>
    RoundRobin,

    /// <summary>Smooth weighted round robin.</summary>
    Weighted,

    /// <summary>At random, by weight.</summary>
    Random,

    /// <summary>The fewest attempts in flight for its weight, of a weighted sample.</summary>
    LeastOutstanding,

    /// <summary>The shortest expected time to first content under its load, of a weighted sample.</summary>
    Latency,

    /// <summary>The pool's own zone while it has an endpoint with room; without zones the shortest time to first content, whatever the load.</summary>
    Nearest,

    /// <summary>The endpoint on which the request's affinity key falls (rendezvous hashing with bounded load); without a key as <see cref="Adaptive"/>.</summary>
    Sticky,

    /// <summary>The lowest price of the request; among equals the least cost in seconds.</summary>
    Cheapest,

    /// <summary>The first listed of the lowest tier; the next only when it cannot.</summary>
    Priority,
}

/// <summary>How a pool chooses among its endpoints. Not thread-safe; read when the pool takes it and at each reload.</summary>
public sealed class SelectionOptions
{
    internal const int MostSampled = 8;

    /// <summary>The way of choosing. Default <see cref="SelectionPreset.Adaptive"/>.</summary>
    public SelectionPreset Preset { get; set; }

    /// <summary>How many endpoints are drawn and compared. Default 2; 1 to 8. More choose better and herd more when several processes choose alike.</summary>
    public int Sample { get; set; } = 2;

    /// <summary>Use a standby tier only when the tiers before it have no endpoint to offer, instead of by and by as their healthy capacity falls. Default false.</summary>
    public bool StrictTiers { get; set; }

    /// <summary>The spare capacity that tiers are assumed to have: one gives up traffic when less than 1 / this of its weight is healthy. Default 1.4; at least 1.</summary>
    public double OverProvisioning { get; set; } = 1.4;

    /// <summary>When less than this share of the weight is admitted, ejected endpoints are asked before their time if those left are overloaded. Default 0.5; 0 (never) to 1.</summary>
    public double FailOpenBelow { get; set; } = 0.5;

    /// <summary>How many times its fair share of the load the home of an affinity key may have before the next one takes over. Default 1.25; at least 1.</summary>
    public double AffinityLoad { get; set; } = 1.25;

    /// <summary>Where this process is; endpoints in the same zone are preferred. Default: not known.</summary>
    public string? Zone { get; set; }

    /// <summary>What leaving the zone costs. Default 50 ms; at least 0.</summary>
    public TimeSpan ZonePenalty { get; set; } = TimeSpan.FromMilliseconds(50);

    /// <summary>What one unit of money is worth, in seconds. Default 0: price does not matter; at least 0.</summary>
    public double SecondsPerPrice { get; set; }

    internal SelectionOptions Copy() => (SelectionOptions)MemberwiseClone();

    internal IEnumerable<string> Validate(string path)
    {
        if (!Enum.IsDefined(Preset))
            yield return $"{path}:{nameof(Preset)} is {Preset}: one of {string.Join(", ", Enum.GetNames<SelectionPreset>())} is needed.";
        if (Sample is < 1 or > MostSampled)
            yield return $"{path}:{nameof(Sample)} is {Sample}: 1 to {MostSampled} is needed.";
        if (!(OverProvisioning >= 1) || double.IsInfinity(OverProvisioning))
            yield return $"{path}:{nameof(OverProvisioning)} is {OverProvisioning}: a finite number of at least 1 is needed.";
        if (!(FailOpenBelow is >= 0 and <= 1))
            yield return $"{path}:{nameof(FailOpenBelow)} is {FailOpenBelow}: 0 to 1 is needed.";
        if (!(AffinityLoad >= 1))
            yield return $"{path}:{nameof(AffinityLoad)} is {AffinityLoad}: at least 1 is needed.";
        if (ZonePenalty < TimeSpan.Zero)
            yield return $"{path}:{nameof(ZonePenalty)} is {ZonePenalty}: at least 0 is needed.";
        if (!(SecondsPerPrice >= 0) || double.IsInfinity(SecondsPerPrice))
            yield return $"{path}:{nameof(SecondsPerPrice)} is {SecondsPerPrice}: a finite number of at least 0 is needed.";
    }
}
