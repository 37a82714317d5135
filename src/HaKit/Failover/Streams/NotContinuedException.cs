using HaKit.Failover;

namespace HaKit;

/// <summary>
/// The exception with which a continuation reports to the pool that no other endpoint continues a cut answer. Callers never get this exception: the pool puts
/// the reason into the <see cref="PartialResponseException"/> of the first cut.
/// </summary>
public sealed class NotContinuedException : Exception
{
    /// <summary>Creates the exception with the reason.</summary>
    /// <param name="reason">The reason.</param>
    public NotContinuedException(NotContinuedReason reason)
        : this(reason, AttemptTotals.None, null)
    {
    }

    internal NotContinuedException(NotContinuedReason reason, AttemptTotals attempts, Exception? inner)
        : base($"The answer was not continued: {reason}.", inner)
    {
        Reason = reason;
        Attempts = attempts;
    }

    /// <summary>Gets the reason.</summary>
    public NotContinuedReason Reason { get; }

    /// <summary>Gets the attempts to get the rest.</summary>
    internal AttemptTotals Attempts { get; }
}
