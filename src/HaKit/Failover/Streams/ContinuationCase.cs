using HaKit.Faults;

namespace HaKit.Failover;

/// <summary>Everything that decides whether a cut answer may be continued.</summary>
internal readonly record struct ContinuationCase
{
    /// <summary>How many seams an answer may have.</summary>
    public const int MostSeams = 2;

    /// <summary>Do the pool's setting and the call's profile allow it?</summary>
    public required bool IsAllowed { get; init; }

    /// <summary>May the call be sent twice?</summary>
    public required bool MayRepeat { get; init; }

    /// <summary>What in the request or in what was delivered stands in the way; null for nothing.</summary>
    public required NotContinuedReason? Obstacle { get; init; }

    /// <summary>What cut the answer.</summary>
    public required Fault Cut { get; init; }

    /// <summary>Seams that the answer has already.</summary>
    public required int Seams { get; init; }

    /// <summary>Endpoints, other than the one that cut it, that declare how they go on from a beginning.</summary>
    public required int Endpoints { get; init; }

    /// <summary>Why the answer may not be continued; null: it may. The reason that the application can do least about comes last.</summary>
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
