namespace HaKit;

/// <summary>How much of an endpoint a probe exercises. Each level includes those before it.</summary>
public enum ProbeLevel
{
    /// <summary>It accepts connections.</summary>
    Reachable,

    /// <summary>It accepts our key.</summary>
    Authorized,

    /// <summary>It generates content.</summary>
    Generating,
}
