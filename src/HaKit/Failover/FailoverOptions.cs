namespace HaKit.Failover;

/// <summary>Sets how often and how soon a call tries again. Not thread-safe; read at start-up and at each reload.</summary>
public sealed class RetryOptions
{
    /// <summary>
    /// Gets or sets the limit on the attempts after the first, on all endpoints together. Nothing resets the count within a call. Refusals that named a time
    /// (<c>Retry-After</c>) do not count. 0: one attempt, always. Default null: five, and during an outage as many as its pace allows within the deadline. 0
    /// to 100.
    /// </summary>
    public int? MaxRetryAttempts { get; set; }

    /// <summary>
    /// Gets or sets the limit on the attempts of one call on the same endpoint. Refusals that named a time do not count. Default null: no limit; the
    /// endpoints take turns. 1 to 100.
    /// </summary>
    public int? MaxAttemptsPerEndpoint { get; set; }

    /// <summary>
    /// Gets or sets the first backoff, used when no untried endpoint is left. It doubles with each failure, has full jitter, and counts from the last
    /// failure. Default 0.25 s; more than 0.
    /// </summary>
    public TimeSpan Delay { get; set; } = TimeSpan.FromSeconds(0.25);

    /// <summary>Gets or sets the longest backoff. Default 8 s; at least <see cref="Delay"/>.</summary>
    public TimeSpan MaxDelay { get; set; } = TimeSpan.FromSeconds(8);

    /// <summary>
    /// Gets or sets the share of the endpoint's recent answers that must have come within the time that is left of the deadline. Otherwise an attempt after
    /// the first does not begin, because its answer would probably come too late. Endpoints with few known answers are not checked. Default 0.1; 0 (no such
    /// limit) to 1.
    /// </summary>
    public double MinimumChance { get; set; } = 0.1;

    internal RetryOptions Copy() => (RetryOptions)MemberwiseClone();
}

/// <summary>Sets how long to wait for the first content of an answer. Not thread-safe; read at start-up and at each reload.</summary>
public sealed class FirstContentOptions
{
    /// <summary>Gets or sets whether the limit is learned from the endpoint's own recent times. Default true.</summary>
    public bool Learned { get; set; } = true;

    /// <summary>Gets or sets the limit until it is learned, and the longest learned limit for streams. Default 30 s.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Gets or sets the shortest learned limit. Default 1 s.</summary>
    public TimeSpan Minimum { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Gets or sets the share of the remaining deadline that an attempt may be silent while another endpoint could serve the call. It is never less than the
    /// endpoint's own 99th percentile. Default 0.5; above 0, at most 1.
    /// </summary>
    public double DeadlineShare { get; set; } = 0.5;

    /// <summary>Gets or sets the learned limit as a multiple of the endpoint's own 99th percentile. Default 3.</summary>
    public double Multiplier { get; set; } = 3;

    internal FirstContentOptions Copy() => (FirstContentOptions)MemberwiseClone();
}

/// <summary>
/// Sets whether and when a second attempt starts beside one that is slow to its first content. Off by default. Not thread-safe; read at start-up and at each
/// reload.
/// </summary>
public sealed class HedgingOptions
{
    /// <summary>Gets or sets whether calls are hedged. Default false. A request profile can override it.</summary>
    public bool Enabled { get; set; }

    /// <summary>
    /// Gets or sets the share of an endpoint's own answers that counts as slow: 0.05 hedges after the 95th percentile. Default 0.05; above 0, at most 0.5.
    /// <c>RetryBudget:HedgesPerCall</c> limits the share of calls that are hedged, and the shared retry budget limits hedges too.
    /// </summary>
    public double MaxShare { get; set; } = 0.05;

    /// <summary>Gets or sets the time before which no hedge starts. Default 0; at least 0.</summary>
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

/// <summary>Holds the settings that the failover engine reads on each call. A reload replaces the whole object.</summary>
internal sealed record FailoverSettings
{
    public required string Pool { get; init; }
    public required TimeSpan Deadline { get; init; }
    public TimeSpan? AttemptTimeout { get; init; }
    public required RetryOptions Retry { get; init; }
    public required FirstContentOptions FirstContent { get; init; }
    public required StreamingOptions Streaming { get; init; }
    public required HedgingOptions Hedging { get; init; }

    /// <summary>Gets how long a call may wait while no endpoint can serve it, unless its profile has its own limit. Null: until its deadline.</summary>
    public TimeSpan? MaxWait { get; init; }

    /// <summary>Gets the application's own rule for faults. Null: none.</summary>
    public Func<Faults.Fault, RequestProfile, FaultAction?>? OnFault { get; init; }

    /// <summary>Gets the hard limit on the attempts of a call. Null: only the deadline limits them.</summary>
    public int? MostAttempts => Retry.MaxRetryAttempts + 1;

    /// <summary>Gets the number of attempts after the first that are made in ordinary service, and not under the pace of an outage.</summary>
    public int OrdinaryRetries => Retry.MaxRetryAttempts ?? 5;
}
