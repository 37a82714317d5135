namespace HaKit.Failover;

/// <summary>How often and how soon to try again.</summary>
public sealed class RetryOptions
{
    /// <summary>
    /// Bounds the attempts after the first, on all endpoints together; never reset within a call. Refusals that named their time (<c>Retry-After</c>) do not
    /// count; 0 is one attempt, always. Default null: five, and while nothing serves as many more as the outage's pace brings within the deadline. 0 to 100.
    /// </summary>
    public int? MaxRetryAttempts { get; set; }

    /// <summary>
    /// Bounds the attempts of one call on the same endpoint, refusals that named their time not counted; 1 to 100. Default null: no bound of their own, and the
    /// endpoints take turns.
    /// </summary>
    public int? MaxAttemptsPerEndpoint { get; set; }

    /// <summary>First backoff, when no endpoint is left untried; doubles, with full jitter, counted from the last failure. Default 0.25 s.</summary>
    public TimeSpan Delay { get; set; } = TimeSpan.FromSeconds(0.25);

    /// <summary>Longest backoff. Default 8 s.</summary>
    public TimeSpan MaxDelay { get; set; } = TimeSpan.FromSeconds(8);

    /// <summary>
    /// An attempt after the first begins only where at least this share of the endpoint's recent answers came within what is left of the deadline, so
    /// that no attempt is sent whose answer would come too late. Endpoints of which little is known are not judged. Default 0.1; 0 to 1, 0 for no such bound.
    /// </summary>
    public double MinimumChance { get; set; } = 0.1;

    internal RetryOptions Copy() => (RetryOptions)MemberwiseClone();
}

/// <summary>How long to wait for the first content of an answer.</summary>
public sealed class FirstContentOptions
{
    /// <summary>Learn the limit from the endpoint's own recent times? Default true.</summary>
    public bool Learned { get; set; } = true;

    /// <summary>Limit until learned, and the longest one learned for streams. Default 30 s.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>The shortest one learned. Default 1 s.</summary>
    public TimeSpan Minimum { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// The share of the remaining deadline that an attempt may take in silence while another endpoint could serve the call; not less than the endpoint's own 99th
    /// percentile. Default 0.5; above 0, at most 1.
    /// </summary>
    public double DeadlineShare { get; set; } = 0.5;

    /// <summary>How many times the endpoint's own 99th percentile. Default 3.</summary>
    public double Multiplier { get; set; } = 3;

    internal FirstContentOptions Copy() => (FirstContentOptions)MemberwiseClone();
}

/// <summary>Starting a second attempt beside one that is slow to its first content. Off by default.</summary>
public sealed class HedgingOptions
{
    /// <summary>Hedge at all? Default false. A request can say otherwise for itself.</summary>
    public bool Enabled { get; set; }

    /// <summary>
    /// The share of calls that may be hedged, which is also the share of an endpoint's own times that counts as slow: 0.05 hedges after its
    /// 95th percentile. Default 0.05; above 0 and at most 0.5. The shared retry budget bounds it as well.
    /// </summary>
    public double MaxShare { get; set; } = 0.05;

    /// <summary>Never hedge earlier than this. Default 0.</summary>
    public TimeSpan MinimumDelay { get; set; }

    internal HedgingOptions Copy() => (HedgingOptions)MemberwiseClone();

    internal IEnumerable<string> Validate(string path)
    {
        if (!(MaxShare is > 0 and <= 0.5))
            yield return $"{path}:MaxShare is {MaxShare}: above 0 and at most 0.5 is needed.";
        if (MinimumDelay < TimeSpan.Zero)
            yield return $"{path}:MinimumDelay is {MinimumDelay}: at least 0 is needed.";
    }
}

/// <summary>What the failover engine reads on each call; swapped whole on a reload.</summary>
internal sealed record FailoverSettings
{
    public required string Pool { get; init; }
    public required TimeSpan Deadline { get; init; }
    public TimeSpan? AttemptTimeout { get; init; }
    public required RetryOptions Retry { get; init; }
    public required FirstContentOptions FirstContent { get; init; }
    public required StreamingOptions Streaming { get; init; }
    public required HedgingOptions Hedging { get; init; }

    /// <summary>How long a call may wait while nothing can serve it, unless its profile says otherwise; null: to its deadline.</summary>
    public TimeSpan? MaxWait { get; init; }

    /// <summary>The application's own rule for faults; null for none.</summary>
    public Func<Faults.Fault, RequestProfile, FaultAction?>? OnFault { get; init; }

    /// <summary>The hard bound on the attempts of a call; null: none but the deadline.</summary>
    public int? MostAttempts => Retry.MaxRetryAttempts + 1;

    /// <summary>Attempts after the first that are made in ordinary service, and not under the pace of an outage.</summary>
    public int OrdinaryRetries => Retry.MaxRetryAttempts ?? 5;
}
