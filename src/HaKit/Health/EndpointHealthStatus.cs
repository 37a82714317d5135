namespace HaKit.Health;

/// <summary>Where an endpoint stands: may it be chosen, and if not, what would bring it back?</summary>
public enum EndpointHealthStatus
{
    /// <summary>Answers; takes its full share.</summary>
    Healthy,

    /// <summary>Its latest evidence is a failure, or we doubt ourselves; still takes traffic.</summary>
    Suspect,

    /// <summary>Out of service until its period is over and one trial succeeds.</summary>
    Ejected,

    /// <summary>One request tests whether the endpoint is back; no other request is sent.</summary>
    Trial,

    /// <summary>Back, with a share that grows to the full one.</summary>
    SlowStart,

    /// <summary>An operator lets it finish what it has and gives it nothing new.</summary>
    Draining,

    /// <summary>An operator took it out.</summary>
    ForcedDown,
}

/// <summary>What an operator may order about one endpoint.</summary>
public enum HealthOrder
{
    /// <summary>Finish what is in flight, take no more.</summary>
    Drain,

    /// <summary>Take it out at once.</summary>
    ForceDown,

    /// <summary>Back into service, on a ramp; also ends what only a person can end: an exhausted quota, a revoked key.</summary>
    BringUp,
}
