namespace HaKit;

/// <summary>Whose fault is it?</summary>
public enum FaultBlame
{
    /// <summary>The endpoint's: 5xx, connect, timeout, reset, a broken body, anything unknown.</summary>
    Endpoint,

    /// <summary>The endpoint is well but has had enough of us: 429, quota.</summary>
    Throttle,

    /// <summary>The request is wrong and would be wrong elsewhere too. Neutral for health.</summary>
    Request,

    /// <summary>The caller went away, or its deadline passed. Neutral for health.</summary>
    Caller,
}
