namespace HaKit.Limits;

/// <summary>Why a wait ended.</summary>
internal enum WaitResult
{
    /// <summary>Something came free, and it is this one's turn to try for it.</summary>
    Released,

    /// <summary>The time it asked to be woken at has come.</summary>
    Due,

    /// <summary>Its caller gave up, or it has left.</summary>
    Cancelled,
}
