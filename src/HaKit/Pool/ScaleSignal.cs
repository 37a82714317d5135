namespace HaKit;

/// <summary>When a pool is too small or too large for its load. Not thread-safe; read when the pool takes it and at each reload.</summary>
public sealed class ScaleOptions
{
    /// <summary>How full endpoints should be: the share of their limits, or of <see cref="TargetInFlight"/>. Default 0.7; above 0 and at most 1.</summary>
    public double TargetUtilization { get; set; } = 0.7;

    /// <summary>Attempts in flight at which an endpoint of weight 1 counts as full, for endpoints that have no limits. Default none; at least 1 when set.</summary>
    public int? TargetInFlight { get; set; }

    /// <summary>How often to look whether the wanted number of endpoints changed, and to tell by a <see cref="ScaleChanged"/> event. Default: never; more than 0.</summary>
    public TimeSpan? Interval { get; set; }

    internal ScaleOptions Copy() => (ScaleOptions)MemberwiseClone();

    internal IEnumerable<string> Validate(string path)
    {
        if (!(TargetUtilization is > 0 and <= 1))
            yield return $"{path}:{nameof(TargetUtilization)} is {TargetUtilization}: above 0 and at most 1 is needed.";
        if (TargetInFlight < 1)
            yield return $"{path}:{nameof(TargetInFlight)} is {TargetInFlight}: at least 1 is needed, or nothing.";
        if (Interval <= TimeSpan.Zero)
            yield return $"{path}:{nameof(Interval)} is {Interval}: more than 0 is needed, or nothing.";
    }
}

/// <summary>The load of one endpoint at one moment.</summary>
/// <param name="Endpoint">Its name.</param>
/// <param name="InFlight">Attempts in flight on it.</param>
/// <param name="Utilization">How full it is: 0 idle, 1 full, more when usage turned out above its estimate; null when it has no limit to measure by.</param>
/// <param name="Serves">Does it take ordinary traffic?</param>
public sealed record EndpointLoad(string Endpoint, int InFlight, double? Utilization, bool Serves);

/// <summary>How loaded a pool is, for code that adds and removes endpoints. Immutable.</summary>
public sealed record ScaleSignal
{
    /// <summary>The load of each endpoint.</summary>
    public required IReadOnlyList<EndpointLoad> Endpoints { get; init; }

    /// <summary>Attempts in flight on all of them.</summary>
    public required int InFlight { get; init; }

    /// <summary>Calls that wait for an endpoint.</summary>
    public required int Waiting { get; init; }

    /// <summary>How long the last in the queue will wait at the recent pace of answers (Little's law); zero when no call waits, null when there were no answers.</summary>
    public TimeSpan? QueueWait { get; init; }

    /// <summary>How full those that serve are, by weight; null when nothing measures it.</summary>
    public double? Utilization { get; init; }

    /// <summary>How many serving endpoints of the average weight would bring the utilisation to its target, waiting calls included; at least 1; null when nothing measures it.</summary>
    public int? WantedEndpoints { get; init; }
}

/// <summary>Another number of endpoints is wanted than before.</summary>
public sealed record ScaleChanged : PoolEvent
{
    /// <summary>The load behind it.</summary>
    public required ScaleSignal Signal { get; init; }
}
