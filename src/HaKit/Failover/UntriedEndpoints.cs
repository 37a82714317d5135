using HaKit.Selection;

namespace HaKit.Failover;

/// <summary>Finds an endpoint that a call has not tried and that can take the call now.</summary>
internal sealed class UntriedEndpoints(FailoverContext context)
{
    /// <summary>Gets or sets the callback for an exception of the application's own selector that does not end its call.</summary>
    public Action<Exception>? SelectorFailed { get; set; }

    /// <summary>
    /// Gets whether the call may begin another attempt. If the settings do not limit all attempts of a call, only its retries in ordinary service are limited.
    /// The trials of an outage have no such limit, only the pauses of <see cref="Waiting.OutagePace"/>.
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
    /// Chooses an endpoint that can probably answer before the deadline. Usually this is the first choice. The choice without slow endpoints takes longer, so
    /// it is made only if the first choice is too slow.
    /// </summary>
    public Choice ChooseInTime(FailoverCall call, TimeSpan now)
    {
        var choice = Choose(call, now);
        // The first attempt of a call is always made.
        if (choice.State is null || call.History.IsFresh)
            return choice;
        // If fewer than MinimumChance of the endpoint's recent answers came within the remaining time, another attempt there would only add load.
        var time = new AnswerTime(call.IsStream, context.Settings.Retry.MinimumChance, call.Deadline - now);
        if (time.IsPossible(choice.State))
            return choice;
        choice = context.Selector.Choose(context.Snapshot, new SelectionQuery(call.Profile, call.History, now) { InTime = time });
        return choice.State is { } state && time.IsPossible(state) ? choice : Choice.None; // the application's own selector may choose a slow endpoint
    }

    /// <summary>
    /// Chooses an endpoint for a call that already has an attempt in flight. False if the limit on attempts is reached, or if the application's own selector
    /// throws. The exception is caught and logged, because the attempt in flight may still serve the call.
    /// </summary>
    public bool TryChooseBeside(FailoverCall call, TimeSpan now, out Choice choice)
    {
        choice = Choice.None;
        try
        {
            if (MayTryAnother(call))
                choice = ChooseInTime(call, now);
            return true;
        }
#pragma warning disable CA1031 // A selector of the application's own may throw anything.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            SelectorFailed?.Invoke(exception);
            return false;
        }
    }

    /// <summary>Checks whether an untried endpoint that can take the call now is left.</summary>
    public bool HasAny(FailoverCall call, TimeSpan now) => TryChooseBeside(call, now, out var choice) && choice.State is not null;
}
