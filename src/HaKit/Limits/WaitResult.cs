namespace HaKit.Limits;

/// <summary>The reason why a wait ended.</summary>
internal enum WaitResult
{
    /// <summary>The waiter was released: it may try to start an attempt.</summary>
    Released,

    /// <summary>The time limit of the wait has passed.</summary>
    Due,

    /// <summary>The caller cancelled, or the waiter has left the queue.</summary>
    Cancelled,
}
