namespace HaKit;

/// <summary>
/// Indicates which endpoints a fault affects. A fault of one endpoint also affects another endpoint if both have the same values in the properties of <see
/// cref="Faults.FailureDomains"/> that belong to the reach.
/// </summary>
public enum FaultReach
{
    /// <summary>This endpoint only.</summary>
    Endpoint,

    /// <summary>Every endpoint that uses the same key.</summary>
    Key,

    /// <summary>Every endpoint of the same account (quota, billing).</summary>
    Account,

    /// <summary>Every endpoint that serves the same model of the same provider.</summary>
    Model,

    /// <summary>Every endpoint of the same provider.</summary>
    Provider,

    /// <summary>Every endpoint in the same region of the same provider.</summary>
    Region,

    /// <summary>Every endpoint with the same rate limit: same account, model and region. Endpoints with another model or account are not affected.</summary>
    RateLimit,
}
