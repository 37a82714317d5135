namespace HaKit.Failover;

/// <summary>Sets how many attempts a call makes and how long it waits between them. Not thread-safe; read at start-up and at each reload.</summary>
public sealed class RetryOptions
{
    /// <summary>
    /// Gets or sets the limit on the attempts of a call after its first attempt, on all endpoints together. An attempt that was refused with a
    /// <c>Retry-After</c> does not count. With 0 a call makes exactly one attempt. Default null: five attempts after the first attempt in ordinary
    /// service. In an outage of all endpoints, a call waits and makes trials. With null the number of these trials is not limited: the pool makes them one at a
    /// time, with pauses. 0 to 100.
    /// </summary>
    public int? MaxRetryAttempts { get; set; }

    /// <summary>
    /// Gets or sets the limit on the attempts of one call on the same endpoint. An attempt that was refused with a <c>Retry-After</c> does not count. Default
    /// null: no limit. 1 to 100.
    /// </summary>
    public int? MaxAttemptsPerEndpoint { get; set; }

    /// <summary>
    /// Gets or sets the first backoff. A call backs off only when no untried endpoint is left. The backoff starts at the last failure, doubles with each
    /// further failure, and has full jitter. Default 0.25 s; more than 0, at most 10 years.
    /// </summary>
    public TimeSpan Delay { get; set; } = TimeSpan.FromSeconds(0.25);

    /// <summary>Gets or sets the longest backoff. Default 8 s; at least <see cref="Delay"/>, at most 10 years.</summary>
    public TimeSpan MaxDelay { get; set; } = TimeSpan.FromSeconds(8);

    /// <summary>
    /// Gets or sets the smallest chance of success with which a retry begins. The chance is the share of the endpoint's recent answers that took no longer than
    /// the time that is left until the deadline. With a smaller chance the retry does not begin, because its answer would probably come too late. Endpoints
    /// with few recent answers are not checked. Default 0.1; 0 (no such limit) to 1.
    /// </summary>
    public double MinimumChance { get; set; } = 0.1;

    internal RetryOptions Copy() => (RetryOptions)MemberwiseClone();
}

/// <summary>
/// Sets how long to wait for the first content of an answer. Not thread-safe; read at start-up and at each reload. For endpoints that the pool already has, a
/// reload does not change <see cref="Minimum"/> and <see cref="Multiplier"/>. While <see cref="Learned"/> is true, the reload does not change the longest learned
/// limit (<see cref="Timeout"/>) of these endpoints either. A log line names the settings that a reload could not change.
/// </summary>
public sealed class FirstContentOptions
{
    // The pool learns times of at most 17 minutes, so the product of such a time and this number is always a valid time.
    internal const double LargestMultiplier = 1000;

    /// <summary>Gets or sets whether the limit is learned from the endpoint's own recent times to the first content. Default true.</summary>
    public bool Learned { get; set; } = true;

    /// <summary>
    /// Gets or sets the limit that applies before a limit is learned. It is also the longest learned limit for streams, unless answers come after it. If <see
    /// cref="Learned"/> is false, this value is the limit for streams, and plain answers have no limit of their own. Default 30 s; more than 0, at most 10 years.
    /// </summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Gets or sets the shortest learned limit. Default 1 s; more than 0, not longer than <see cref="Timeout"/>.</summary>
    public TimeSpan Minimum { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Gets or sets the longest silence of an attempt while another endpoint could serve the call, as a share of the time that is left until the deadline. If
    /// the endpoint's own 99th percentile is longer than this share, the percentile is the limit. This exception does not apply if the endpoint would probably
    /// answer after the deadline, and another endpoint would probably answer before the deadline. A request that must not be repeated has no such limit.
    /// Default 0.5; above 0, at most 1.
    /// </summary>
    public double DeadlineShare { get; set; } = 0.5;

    /// <summary>Gets or sets the learned limit as a multiple of the endpoint's own 99th percentile. Default 3; 1 to 1,000.</summary>
    public double Multiplier { get; set; } = 3;

    internal FirstContentOptions Copy() => (FirstContentOptions)MemberwiseClone();
}

/// <summary>
/// Sets whether and when a hedge starts: a second attempt on another endpoint, while the first attempt has sent no content for an unusually long time. Off by
/// default. Not thread-safe; read at start-up and at each reload.
/// </summary>
public sealed class HedgingOptions
{
    /// <summary>Gets or sets whether calls are hedged. Default false. A request profile can override it.</summary>
    public bool Enabled { get; set; }

    /// <summary>
    /// Gets or sets the share of an endpoint's own answers that counts as slow. With 0.05 the hedge starts after the 95th percentile of the endpoint's times.
    /// Default 0.05; above 0, at most 0.5. <c>RetryBudget:HedgesPerCall</c> limits the share of calls that are hedged. Hedges also pay from the retry budget.
    /// </summary>
    public double MaxShare { get; set; } = 0.05;

    /// <summary>
    /// Gets or sets how long the first attempt must be silent before the hedge starts, even if the endpoint usually answers sooner. The time counts from the
    /// start of the first attempt, or from its latest sign of progress. Default 0; 0 to 10 years.
    /// </summary>
    public TimeSpan MinimumDelay { get; set; }

    internal HedgingOptions Copy() => (HedgingOptions)MemberwiseClone();

    internal IEnumerable<string> Validate(string path)
    {
        if (SettingRange.FindAboveZero($"{path}:{nameof(MaxShare)}", MaxShare, 0.5) is { } share)
            yield return share;
        if (SettingRange.Find($"{path}:{nameof(MinimumDelay)}", MinimumDelay) is { } delay)
            yield return delay;
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

    /// <summary>
    /// Gets the limit on all attempts of a call. Null: only <see cref="OrdinaryRetries"/>, <see cref="Waiting.OutagePace"/> and the deadline limit them.
    /// </summary>
    public int? MostAttempts => Retry.MaxRetryAttempts + 1;

    /// <summary>
    /// Gets the limit on the attempts of a call after its first attempt. If <see cref="MostAttempts"/> is null, the trials of an outage do not count. There is
    /// one exception: the trials of an endpoint that failed with <see cref="FaultKind.Unknown"/> count. Such a fault may never end, and without a limit the
    /// call would go on with retries until its deadline.
    /// </summary>
    public int OrdinaryRetries => Retry.MaxRetryAttempts ?? 5;
}
