namespace HaKit;

/// <summary>The depth of a probe. Each level includes the levels before it.</summary>
public enum ProbeLevel
{
    /// <summary>The endpoint accepts connections.</summary>
    Reachable,

    /// <summary>The endpoint accepts the key.</summary>
    Authorized,

    /// <summary>The endpoint generates content.</summary>
    Generating,
}
