namespace HaKit.Selection;

/// <summary>The rule by which an endpoint of a tier is chosen. All presets are settings of the same pipeline and work with any number of tiers.</summary>
public enum SelectionPreset
{
    /// <summary>
    /// The endpoint with the lowest expected cost in seconds, out of a weighted sample. The cost combines load, latency, failures, zone and price. Uses
    /// affinity keys.
    /// </summary>
    Adaptive,

    /// <summary>One endpoint after the other; weights have no effect.</summary>
    RoundRobin,

    /// <summary>Smooth weighted round robin.</summary>
    Weighted,

    /// <summary>A random endpoint, by weight.</summary>
    Random,

    /// <summary>The endpoint with the fewest attempts in flight in relation to its weight, out of a weighted sample.</summary>
    LeastOutstanding,

    /// <summary>The endpoint with the shortest expected time to the first content under the current load, out of a weighted sample.</summary>
    Latency,

    /// <summary>
    /// An endpoint in the pool's own zone, while an endpoint of this zone has capacity. Without zones: the endpoint with the shortest time to the first
    /// content, independent of the load.
    /// </summary>
    Nearest,

    /// <summary>
    /// The affinity target of the request's key (rendezvous hashing with bounded load). A request without a key is treated as with <see cref="Adaptive"/>.
    /// </summary>
    Sticky,

    /// <summary>The endpoint with the lowest price for the request; among equal prices, the endpoint with the lowest cost in seconds.</summary>
    Cheapest,

    /// <summary>The first listed endpoint of the lowest tier; the next endpoint only when the first cannot serve.</summary>
    Priority,
}

/// <summary>Sets how a pool chooses among its endpoints. Not thread-safe; the pool reads it at start-up and at each reload.</summary>
public sealed class SelectionOptions
{
    internal const int MostSampled = 8;

    /// <summary>Gets or sets the preset. Default <see cref="SelectionPreset.Adaptive"/>.</summary>
    public SelectionPreset Preset { get; set; }

    /// <summary>
    /// Gets or sets how many endpoints are drawn and compared. Default 2; 1 to 8. A larger sample finds better endpoints, but makes it more likely that several
    /// processes choose the same endpoint at the same time.
    /// </summary>
    public int Sample { get; set; } = 2;

    /// <summary>
    /// Gets or sets whether a standby tier is used only when the tiers before it have no endpoint that can take the request. If false, traffic moves to the
    /// standby tier gradually as the healthy capacity falls. Default false.
    /// </summary>
    public bool StrictTiers { get; set; }

    /// <summary>
    /// Gets or sets the assumed spare capacity of each tier, as a factor. A tier passes traffic to the next tier when the healthy share of its weight is less
    /// than 1 / this value. Default 1.4 (about 71 %); 1 to 1,000,000,000.
    /// </summary>
    public double OverProvisioning { get; set; } = 1.4;

    /// <summary>
    /// Gets or sets the share of the pool's weight below which the pool fails open. If a smaller share is admitted and the remaining endpoints are overloaded,
    /// ejected endpoints get single calls before their ejection ends. Default 0.5; 0 (never) to 1.
    /// </summary>
    public double FailOpenBelow { get; set; } = 0.5;

    /// <summary>
    /// Gets or sets the maximum load of an affinity target, as a multiple of its fair share. Each affinity key ranks the endpoints in an order of its own. Above
    /// the maximum load, the request goes to the next endpoint of this order. Default 1.25; 1 to 1,000,000,000.
    /// </summary>
    public double AffinityLoad { get; set; } = 1.25;

    /// <summary>Gets or sets the zone of this process; endpoints in the same zone are preferred. Default: not known.</summary>
    public string? Zone { get; set; }

    /// <summary>Gets or sets the cost of an endpoint outside the zone. Default 50 ms; 0 to 10 years.</summary>
    public TimeSpan ZonePenalty { get; set; } = TimeSpan.FromMilliseconds(50);

    /// <summary>Gets or sets how many seconds of latency are worth one unit of the price. Default 0: the price has no effect; 0 to 1,000,000,000.</summary>
    public double SecondsPerPrice { get; set; }

    internal SelectionOptions Copy() => (SelectionOptions)MemberwiseClone();

    internal IEnumerable<string> Validate(string path)
    {
        if (!Enum.IsDefined(Preset))
            yield return $"{path}:{nameof(Preset)} is {Preset}: one of {string.Join(", ", Enum.GetNames<SelectionPreset>())} is needed.";
        if (Zone is not null && (string.IsNullOrWhiteSpace(Zone) || Placeholder.IsName(Zone) || QuotedText.Is(Zone)))
            yield return $"{path}:{nameof(Zone)} is empty, a placeholder or in quotation marks. Give the zone in which this process runs, or leave {nameof(Zone)} out.";
        string?[] mistakes =
        [
            SettingRange.Find($"{path}:{nameof(Sample)}", Sample, 1, MostSampled),
            SettingRange.Find($"{path}:{nameof(OverProvisioning)}", OverProvisioning, 1, 1_000_000_000),
            SettingRange.Find($"{path}:{nameof(FailOpenBelow)}", FailOpenBelow, 0, 1),
            SettingRange.Find($"{path}:{nameof(AffinityLoad)}", AffinityLoad, 1, 1_000_000_000),
            SettingRange.Find($"{path}:{nameof(ZonePenalty)}", ZonePenalty),
            SettingRange.Find($"{path}:{nameof(SecondsPerPrice)}", SecondsPerPrice, 0, 1_000_000_000),
        ];
        foreach (var mistake in mistakes.OfType<string>())
            yield return mistake;
    }
}
