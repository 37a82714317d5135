namespace HaKit;

/// <summary>Which endpoints share a fault? Each value names the property of <see cref="Faults.FailureDomains"/> that must be equal.</summary>
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

    /// <summary>Every endpoint that draws on the same rate limit: same account, model and region. Another model or account is not held back.</summary>
    RateLimit,
}
