namespace HaKit.Limits;

/// <summary>Why a wait ended.</summary>
internal enum WaitResult
{
    /// <summary>A place became free, and it is the turn of this waiter to try.</summary>
    Released,

    /// <summary>The time at which the waiter asked to be woken has come.</summary>
    Due,

    /// <summary>The caller gave up, or the waiter has left the queue.</summary>
    Cancelled,
}
