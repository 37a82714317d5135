using HaKit.Faults;

namespace HaKit.Failover;

/// <summary>Holds the facts that decide whether a cut answer may be continued.</summary>
internal readonly record struct ContinuationCase
{
    /// <summary>The largest number of seams in one answer.</summary>
    public const int MostSeams = 2;

    /// <summary>Gets whether the call's profile allows a continuation. If the profile does not decide this, the pool's setting does.</summary>
    public required bool IsAllowed { get; init; }

    /// <summary>Gets whether the call may be sent twice.</summary>
    public required bool MayRepeat { get; init; }

    /// <summary>Gets the reason in the request or in the delivered part that prevents a continuation. Null: there is none.</summary>
    public required NotContinuedReason? Obstacle { get; init; }

    /// <summary>Gets the fault that cut the answer.</summary>
    public required Fault Cut { get; init; }

    /// <summary>Gets the number of seams that the answer already has.</summary>
    public required int Seams { get; init; }

    /// <summary>Gets the number of endpoints that declare how they continue an answer. The endpoint that cut the answer is not counted.</summary>
    public required int Endpoints { get; init; }

    /// <summary>
    /// Gets the reason why the answer may not be continued. Null: it may be continued. If several reasons apply, the result is the reason that the application
    /// can change most easily.
    /// </summary>
    public NotContinuedReason? FindReason()
    {
        if (!IsAllowed)
            return NotContinuedReason.Off;
        if (!MayRepeat)
            return NotContinuedReason.MustNotRepeat;
        if (Cut.Kind == FaultKind.ContentFilter)
            return NotContinuedReason.ContentFilter;
        if (Cut.Blame == FaultBlame.Request)
            return NotContinuedReason.RequestRefused;
        if (Obstacle is not null)
            return Obstacle;
        if (Seams >= MostSeams)
            return NotContinuedReason.TooManySeams;
        return Endpoints == 0 ? NotContinuedReason.NoEndpoint : null;
    }
}
