namespace HaKit;

/// <summary>Indicates whether the endpoint processed a request, and perhaps billed it, as far as the fault shows this.</summary>
public enum FaultApplied
{
    /// <summary>The request was not sent: connection, DNS, TLS, an open breaker. The request can always be repeated.</summary>
    NotSent,

    /// <summary>The endpoint refused before doing the work: 429, 503, 529, most 4xx.</summary>
    Rejected,

    /// <summary>Not known: a timeout or reset after sending, 500, 502, 504.</summary>
    Ambiguous,

    /// <summary>Content was already delivered to the caller.</summary>
    Partial,
}
