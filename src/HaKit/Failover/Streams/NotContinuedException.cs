namespace HaKit;

/// <summary>
/// The rest of a cut answer is not, or could not be, asked of another endpoint. Thrown by a continuation to the pool, which tells the reason with the
/// <see cref="PartialResponseException"/> of the first cut; callers never see it.
/// </summary>
public sealed class NotContinuedException : Exception
{
    /// <summary>Says why the rest is not asked for.</summary>
    /// <param name="reason">The reason.</param>
    public NotContinuedException(NotContinuedReason reason)
        : this(reason, [], null)
    {
    }

    internal NotContinuedException(NotContinuedReason reason, IReadOnlyList<AttemptRecord> attempts, Exception? inner)
        : base($"The answer was not continued: {reason}.", inner)
    {
        Reason = reason;
        Attempts = attempts;
    }

    /// <summary>Gets the reason.</summary>
    public NotContinuedReason Reason { get; }

    /// <summary>What was tried for the rest.</summary>
    internal IReadOnlyList<AttemptRecord> Attempts { get; }
}
