namespace HaKit;

/// <summary>An order that an operator may give.</summary>
public enum PoolOrder
{
    /// <summary>An endpoint finishes its attempts in flight and gets no new attempts.</summary>
    Drain,

    /// <summary>An endpoint gets no new attempts.</summary>
    ForceDown,

    /// <summary>An endpoint comes back.</summary>
    BringUp,

    /// <summary>Another tier is used first.</summary>
    Promote,

    /// <summary>The lowest tier is used first again.</summary>
    FailBack,
}
