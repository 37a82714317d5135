namespace HaKit;

/// <summary>The party that caused a fault.</summary>
public enum FaultBlame
{
    /// <summary>The endpoint: 5xx, connection, timeout, reset, a broken body, anything unknown.</summary>
    Endpoint,

    /// <summary>The endpoint works but limits its callers: 429, quota.</summary>
    Throttle,

    /// <summary>The request is wrong, and would be wrong at other endpoints too. Neutral for health.</summary>
    Request,

    /// <summary>The caller cancelled, or its deadline passed. Neutral for health.</summary>
    Caller,
}
