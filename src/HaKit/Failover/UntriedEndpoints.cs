using HaKit.Selection;

namespace HaKit.Failover;

/// <summary>Finds an endpoint that a call has not tried and may ask now.</summary>
internal sealed class UntriedEndpoints(FailoverContext context)
{
    /// <summary>
    /// Gets whether the call may begin another attempt. Without a limit on all attempts, the limit applies to attempts in ordinary service; in an outage, further attempts follow the outage's pace.
    /// </summary>
    public bool MayTryAnother(FailoverCall call)
    {
        if (call.History.HasNoOwn)
            return true;
        var settings = context.Settings;
        if (settings.MostAttempts is not { } most)
            return call.History.OrdinaryRetries < settings.OrdinaryRetries;
        return (most == 1 ? call.History.Begun : call.History.Counted) < most;
    }

    /// <summary>Chooses an endpoint. Exceptions of the application's own selector come out of it.</summary>
    public Choice Choose(FailoverCall call, TimeSpan now) => context.Selector.Choose(context.Snapshot, new SelectionQuery(call.Profile, call.History, now));

    /// <summary>
    /// As <see cref="Choose"/>, for a call of which an attempt is under way: no choice where the bound on attempts is reached, or the application's own selector
    /// throws, because an exception would leave that attempt without an owner.
    /// </summary>
    public bool TryChooseBeside(FailoverCall call, TimeSpan now, out Choice choice)
    {
        choice = Choice.None;
        try
        {
            if (MayTryAnother(call))
                choice = Choose(call, now);
            return true;
        }
#pragma warning disable CA1031 // A selector of the application's own may throw anything.
        catch (Exception)
#pragma warning restore CA1031
        {
            return false;
        }
    }

    /// <summary>Checks whether an endpoint is left that the call has not tried and could ask now.</summary>
    public bool HasAny(FailoverCall call, TimeSpan now) => TryChooseBeside(call, now, out var choice) && choice.State is not null;
}
