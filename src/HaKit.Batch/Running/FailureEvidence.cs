namespace HaKit.Batch.Running;

/// <summary>
/// Holds the facts about a failed call. All numbers are positions in the order in which the calls of a run begin and fail, because two events can have the same
/// time. Immutable.
/// </summary>
internal readonly record struct FailureFacts
{
    /// <summary>Gets the position of the item's previous failure. 0 if there is none.</summary>
    public long PreviousFailure { get; init; }

    /// <summary>Gets the beginning of the latest call that was served before the failed call began.</summary>
    public long ServedBefore { get; init; }

    /// <summary>Gets the beginning of the latest call that was served until now.</summary>
    public long ServedNow { get; init; }

    /// <summary>Gets the position of the latest failure of another item.</summary>
    public long OtherFailure { get; init; }

    /// <summary>Gets whether the call could wait in the pool.</summary>
    public bool IsPatient { get; init; }
}

/// <summary>Decides whether a failed call was the fault of its item, or may belong to an outage. Pure.</summary>
internal static class FailureEvidence
{
    /// <summary>
    /// Checks whether the item fails while other items are served. While no endpoint serves, no call that begins is served. So if another call began after the
    /// item's previous failure and was served, the item's two failures are not in one outage.
    /// </summary>
    public static bool FailsAlone(in FailureFacts facts) => facts.PreviousFailure > 0 && facts.ServedBefore > facts.PreviousFailure;

    /// <summary>
    /// Checks whether the failure counts as a try of its item. The first failure of an item never counts, because an outage may have begun during the call. The
    /// failure of a call that could not wait never counts, because an outage of a moment is enough for it. Any other failure counts if the item fails alone,
    /// and if a call that began after the last failure of another item was served. Otherwise a new outage may have begun, in which other calls fail too.
    /// </summary>
    public static bool CountsAsTry(in FailureFacts facts) => facts.IsPatient && FailsAlone(in facts) && facts.ServedNow > facts.OtherFailure;
}
