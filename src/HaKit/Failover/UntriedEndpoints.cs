using HaKit.Attempts;
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
    /// Chooses an endpoint that can probably answer before the deadline. Usually this is the first choice. Only if it is too slow, the choice is made again
    /// without slow endpoints, because this takes longer.
    /// </summary>
    public Choice ChooseInTime(FailoverCall call, TimeSpan now)
    {
        var choice = Choose(call, now);
        if (choice.State is null || HasTimeFor(call, choice.State, now))
            return choice;
        var query = new SelectionQuery(call.Profile, call.History, now) { InTime = new(call.IsStream, context.Settings.Retry.MinimumChance, call.Deadline - now) };
        choice = context.Selector.Choose(context.Snapshot, query);
        return choice.State is { } state && HasTimeFor(call, state, now) ? choice : Choice.None; // the application's own selector may choose a slow endpoint
    }

    /// <summary>
    /// Checks whether the endpoint can probably answer before the deadline. If fewer than <see cref="RetryOptions.MinimumChance"/> of its recent answers came
    /// within the remaining time, another attempt would only add load. The first attempt of a call is always made.
    /// </summary>
    public bool HasTimeFor(FailoverCall call, EndpointState state, TimeSpan now) =>
        call.History.IsFresh || context.Settings.Retry.MinimumChance == 0 || call.Deadline == TimeSpan.MaxValue
        || state.Times.Quantile(call.IsStream, context.Settings.Retry.MinimumChance) is not { } quick || call.Deadline - now > quick;

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
                choice = ChooseInTime(call, now);
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
