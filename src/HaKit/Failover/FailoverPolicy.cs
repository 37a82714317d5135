using HaKit.Faults;

namespace HaKit.Failover;

/// <summary>What the engine does about a fault.</summary>
public enum FaultAction
{
    /// <summary>Try the next endpoint; when none is left, wait and try again.</summary>
    MoveOn,

    /// <summary>Hand the failure to the caller as it is.</summary>
    Return,
}

/// <summary>Which faults move on and which go back to the caller. Pure.</summary>
internal static class FailoverPolicy
{
    public static FaultAction ActionFor(Fault fault, RequestProfile profile) => fault switch
    {
        { Applied: FaultApplied.Partial } => FaultAction.Return,
        { Applied: FaultApplied.Ambiguous, Blame: not FaultBlame.Caller } when !profile.MayRepeat => FaultAction.Return,
        { Kind: FaultKind.ContextLength } => FaultAction.MoveOn,
        { Kind: FaultKind.ContentFilter } => profile.MoveOnAfterContentFilter ? FaultAction.MoveOn : FaultAction.Return,
        { IsNeutral: true } => FaultAction.Return,
        _ => FaultAction.MoveOn,
    };
}
