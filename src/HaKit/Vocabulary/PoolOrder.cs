namespace HaKit;

/// <summary>What an operator may order.</summary>
public enum PoolOrder
{
    /// <summary>An endpoint finishes what it has and takes no more.</summary>
    Drain,

    /// <summary>An endpoint takes no more.</summary>
    ForceDown,

    /// <summary>An endpoint comes back.</summary>
    BringUp,

    /// <summary>Another tier is used first.</summary>
    Promote,

    /// <summary>The lowest tier is used first again.</summary>
    FailBack,
}
