namespace HaKit.Health;

/// <summary>The health status of an endpoint. It decides whether the endpoint may be chosen.</summary>
public enum EndpointHealthStatus
{
    /// <summary>The endpoint answers and takes its full share.</summary>
    Healthy,

    /// <summary>The latest evidence is a failure, or the pool suspects its own network. The endpoint still takes traffic.</summary>
    Suspect,

    /// <summary>The endpoint is out of service until its period is over and one trial succeeds.</summary>
    Ejected,

    /// <summary>One request tests whether the endpoint is back; no other request is sent.</summary>
    Trial,

    /// <summary>The endpoint is back in service. Its share of the traffic grows from a small part to its full share.</summary>
    SlowStart,

    /// <summary>An operator drains the endpoint: attempts in flight run to their end, and the endpoint gets no new attempts.</summary>
    Draining,

    /// <summary>An operator took the endpoint out of service.</summary>
    ForcedDown,
}

/// <summary>An order that an operator may give about one endpoint.</summary>
public enum HealthOrder
{
    /// <summary>Let attempts in flight run to their end, and send no new attempts.</summary>
    Drain,

    /// <summary>Take the endpoint out of service at once.</summary>
    ForceDown,

    /// <summary>Bring the endpoint back with a slow start. This also ends the cooldown of an exhausted quota or a revoked key.</summary>
    BringUp,
}
