using HaKit.Selection;

namespace HaKit.Failover;

/// <summary>Finds an endpoint that a call has not tried and that can take the call now.</summary>
internal sealed class UntriedEndpoints(FailoverContext context)
{
    /// <summary>
    /// Gets whether the call may begin another attempt. If the settings do not limit all attempts of a call, only its retries in ordinary service are limited;
    /// retries in an outage follow the outage's pace.
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

    /// <summary>Chooses an endpoint. Exceptions of the application's own selector are not caught.</summary>
    public Choice Choose(FailoverCall call, TimeSpan now) => context.Selector.Choose(context.Snapshot, new SelectionQuery(call.Profile, call.History, now));

    /// <summary>
    /// Chooses an endpoint for a call that already has an attempt in flight. False if the limit on attempts is reached, or if the application's own selector
    /// throws. The exception is caught, because otherwise the attempt in flight would have no owner.
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

    /// <summary>Checks whether an untried endpoint that can take the call now is left.</summary>
    public bool HasAny(FailoverCall call, TimeSpan now) => TryChooseBeside(call, now, out var choice) && choice.State is not null;
}
