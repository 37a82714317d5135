using HaKit.Faults;

namespace HaKit.Failover;

/// <summary>The action of a call after a fault.</summary>
public enum FaultAction
{
    /// <summary>The call goes to the next endpoint at once; when no endpoint is left, it waits and tries again.</summary>
    MoveOn,

    /// <summary>The call first waits for the backoff, even if another endpoint is untried.</summary>
    Wait,

    /// <summary>The caller gets the failure unchanged.</summary>
    Return,
}

/// <summary>
/// Decides whether a call moves on to another endpoint after a fault, or returns the fault to the caller. Pure if the application's own rule is pure.
/// </summary>
internal static class FailoverPolicy
{
    /// <param name="fault">The fault.</param>
    /// <param name="profile">The information about the request that the pool cannot see: requirements, sizes, deadline.</param>
    /// <param name="own">The application's own rule. Null: none.</param>
    public static FaultAction ActionFor(Fault fault, RequestProfile profile, Func<Fault, RequestProfile, FaultAction?>? own = null) =>
        IsSettled(fault, profile) ? FaultAction.Return : ActionOfUser(own, fault, profile) ?? Default(fault, profile);

    // The application's own rule (OnFault) must not change three cases. Delivered content is never replayed. A request that may have been processed is not
    // repeated if the caller forbids this. A call never continues after its caller has cancelled.
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
#pragma warning disable CA1031 // The attempt must be recorded as ended even if the user's code throws an exception.
        catch (Exception)
#pragma warning restore CA1031
        {
            return null;
        }
    }
}
