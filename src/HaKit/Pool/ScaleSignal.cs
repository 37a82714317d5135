namespace HaKit;

/// <summary>Sets when a pool counts as too small or too large for its load. Not thread-safe; read at start-up and at each reload.</summary>
public sealed class ScaleOptions
{
    /// <summary>
    /// Gets or sets the utilization that endpoints should have, as a share of their limits or of <see cref="TargetInFlight"/>. Default 0.7; above 0, at most 1.
    /// </summary>
    public double TargetUtilization { get; set; } = 0.7;

    /// <summary>
    /// Gets or sets the number of attempts in flight at which an endpoint of weight 1 counts as full, for endpoints without limits. Default: none; at least
    /// 1.
    /// </summary>
    public int? TargetInFlight { get; set; }

    /// <summary>
    /// Gets or sets how often the pool checks whether the wanted number of endpoints has changed. A change is reported with a <see cref="ScaleChanged"/> event.
    /// Default null: never; 100 ms to a day.
    /// </summary>
    public TimeSpan? Interval { get; set; }

    internal ScaleOptions Copy() => (ScaleOptions)MemberwiseClone();

    internal IEnumerable<string> Validate(string path)
    {
        if (SettingRange.FindAboveZero($"{path}:{nameof(TargetUtilization)}", TargetUtilization, 1) is { } utilization)
            yield return utilization;
        if (TargetInFlight < 1)
            yield return $"{path}:{nameof(TargetInFlight)} is {TargetInFlight}: at least 1 is needed. For no such target, leave it out.";
        if (Interval is { } interval && SettingRange.Find($"{path}:{nameof(Interval)}", interval, TimeSpan.FromMilliseconds(100), SettingRange.LongestOfTimer) is { } wrong)
            yield return wrong;
    }
}

/// <summary>Describes the load of one endpoint at one moment.</summary>
/// <param name="Endpoint">The endpoint's name.</param>
/// <param name="InFlight">The number of attempts in flight.</param>
/// <param name="Utilization">
/// The utilization of the endpoint: 0 is idle, 1 is full. It is above 1 if the actual usage was higher than the estimate. Null if the endpoint has no limit, no
/// target and no reported capacity.
/// </param>
/// <param name="Serves">True if the endpoint takes ordinary traffic.</param>
public sealed record EndpointLoad(string Endpoint, int InFlight, double? Utilization, bool Serves);

/// <summary>Describes the load of a pool, for code that adds and removes endpoints. Immutable.</summary>
public sealed record ScaleSignal
{
    /// <summary>Gets the load of each endpoint.</summary>
    public required IReadOnlyList<EndpointLoad> Endpoints { get; init; }

    /// <summary>Gets the number of attempts in flight on all endpoints.</summary>
    public required int InFlight { get; init; }

    /// <summary>Gets the number of calls that wait for an endpoint.</summary>
    public required int Waiting { get; init; }

    /// <summary>
    /// Gets how long the last call in the queue will wait at the recent rate of answers (Little's law). Zero if no call waits; null if there were no answers.
    /// </summary>
    public TimeSpan? QueueWait { get; init; }

    /// <summary>
    /// Gets the utilization of the serving endpoints, averaged by weight. Null if no endpoint serves, or if none has a limit, a <see
    /// cref="ScaleOptions.TargetInFlight"/> or a reported capacity.
    /// </summary>
    public double? Utilization { get; init; }

    /// <summary>
    /// Gets the number of serving endpoints, of average weight, that would bring the utilization to its target. The calculation includes waiting calls. At
    /// least 1. Null if no endpoint has a limit, a <see cref="ScaleOptions.TargetInFlight"/> or a reported capacity.
    /// </summary>
    public int? WantedEndpoints { get; init; }
}

/// <summary>Reports that the wanted number of endpoints has changed.</summary>
public sealed record ScaleChanged : PoolEvent
{
    /// <summary>Gets the load that led to the change.</summary>
    public required ScaleSignal Signal { get; init; }
}
