namespace HaKit;

/// <summary>Was work done, and perhaps billed?</summary>
public enum FaultApplied
{
    /// <summary>The request never left: connect, DNS, TLS, an open breaker. Always repeatable.</summary>
    NotSent,

    /// <summary>The endpoint said no before doing the work: 429, 503, 529, most 4xx.</summary>
    Rejected,

    /// <summary>Unknown: a timeout or reset after sending, 500, 502, 504.</summary>
    Ambiguous,

    /// <summary>Content was already delivered to the caller.</summary>
    Partial,
}
