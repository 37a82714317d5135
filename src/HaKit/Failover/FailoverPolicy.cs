using HaKit.Faults;

namespace HaKit.Failover;

/// <summary>What the engine does about a fault.</summary>
public enum FaultAction
{
    /// <summary>Try the next endpoint at once; when none is left, wait and try again.</summary>
    MoveOn,

    /// <summary>Wait for the backoff first, even where another endpoint is untried.</summary>
    Wait,

    /// <summary>Hand the failure to the caller as it is.</summary>
    Return,
}

/// <summary>Which faults move on and which go back to the caller. Pure, as long as the user's own part of it is.</summary>
internal static class FailoverPolicy
{
    /// <param name="fault">What went wrong.</param>
    /// <param name="profile">What the caller knows about the request: requirements, sizes, deadline.</param>
    /// <param name="own">The application's own rule; null for none.</param>
    public static FaultAction ActionFor(Fault fault, RequestProfile profile, Func<Fault, RequestProfile, FaultAction?>? own = null) =>
        IsSettled(fault, profile) ? FaultAction.Return : ActionOfUser(own, fault, profile) ?? Default(fault, profile);

    // What the promises decide: nothing delivered is replayed, nothing perhaps done is repeated against the caller's word, no call outlives its caller.
    private static bool IsSettled(Fault fault, RequestProfile profile) => fault switch
    {
        { Applied: FaultApplied.Partial } => true,
        { Blame: FaultBlame.Caller } => true,
        { Applied: FaultApplied.Ambiguous } => !profile.MayRepeat,
        _ => false,
    };

    private static FaultAction Default(Fault fault, RequestProfile profile) => fault switch
    {
        { Kind: FaultKind.ContextLength } => FaultAction.MoveOn,
        { Kind: FaultKind.ContentFilter } => profile.MoveOnAfterContentFilter ? FaultAction.MoveOn : FaultAction.Return,
        { SecondOpinion: not SecondOpinion.None } => FaultAction.MoveOn,
        { IsNeutral: true } => FaultAction.Return,
        _ => FaultAction.MoveOn,
    };

    private static FaultAction? ActionOfUser(Func<Fault, RequestProfile, FaultAction?>? own, Fault fault, RequestProfile profile)
    {
        try
        {
            return own?.Invoke(fault, profile);
        }
#pragma warning disable CA1031 // An attempt's books must be closed whatever the user's code does.
        catch (Exception)
#pragma warning restore CA1031
        {
            return null;
        }
    }
}
