namespace HaKit;

/// <summary>The party that caused a fault.</summary>
public enum FaultBlame
{
    /// <summary>The endpoint failed: 5xx, a connection failure, a timeout, a reset, a broken body, or an unknown fault.</summary>
    Endpoint,

    /// <summary>The endpoint works but limits its callers: 429, quota.</summary>
    Throttle,

    /// <summary>The request is wrong, and would be wrong at other endpoints too. Neutral for health.</summary>
    Request,

    /// <summary>The caller cancelled, or the call's deadline passed. Neutral for health.</summary>
    Caller,
}
