using HaKit.Attempts;
using HaKit.Health;
using HaKit.Selection;

namespace HaKit.Failover;

/// <summary>Decides when a second attempt starts in parallel with a slow attempt, and starts it.</summary>
internal sealed class HedgeStarter(FailoverContext context, UntriedEndpoints untried, AttemptStarter starter)
{
    // A hedge that could not start is tried again after this share of the attempt's silence, and after this time at least.
    private const double RetryShare = 0.1;
    private static readonly TimeSpan ShortestRetry = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// Gets when a second attempt may start beside this attempt. This attempt must have been silent for longer than the quantile 1 − <see
    /// cref="HedgingOptions.MaxShare"/> of the endpoint's answer times, and for at least <see cref="HedgingOptions.MinimumDelay"/>. <see
    /// cref="TimeSpan.MaxValue"/> (never) if the call must not be hedged, if this attempt has content, or if the endpoint's times are not learned.
    /// </summary>
    public TimeSpan HedgeAt(FailoverCall call, Lease lease)
    {
        var hedging = context.Settings.Hedging;
        if (!(call.Profile.MayHedge ?? hedging.Enabled) || !call.Profile.MayRepeat || lease.FirstContentAt is not null
            || lease.State.Times.UsualQuantile(call.IsStream, 1 - hedging.MaxShare) is not { } slow)
        {
            return TimeSpan.MaxValue;
        }

        return lease.LastSignAt + (slow > hedging.MinimumDelay ? slow : hedging.MinimumDelay);
    }

    /// <summary>Starts a second attempt on another endpoint that is not overloaded, if the budget allows it.</summary>
    /// <returns>
    /// The attempt. Null if it could not start; <see cref="FailoverCall.HedgeWasConsidered"/> is then false if it may start later (<see cref="NextTryAt"/>).
    /// </returns>
    public Lease? TryHedge(FailoverCall call, TimeSpan now)
    {
        call.HedgeWasConsidered = true;
        if (!HasUntried(call) || !untried.MayTryAnother(call) || !untried.TryChooseBeside(call, now, out var choice))
            return null;
        if (choice is not { State: { } state, Admission: Admission.Normal } || IsOverBound(state, context.Snapshot) || !context.Budget.TryHedge())
        {
            call.HedgeWasConsidered = false; // an endpoint or the budget may have capacity a moment later
            return null;
        }
        if (starter.TryStart(call, state, BeginMode.Normal, now) is { } lease)
        {
            call.Hedged = true;
            return lease;
        }
        context.Budget.RefundHedge();
        return null;
    }

    /// <summary>Gets when a hedge that could not start beside this attempt is tried again.</summary>
    public static TimeSpan NextTryAt(Lease lease, TimeSpan now)
    {
        var pause = (now - lease.LastSignAt) * RetryShare;
        return now + (pause > ShortestRetry ? pause : ShortestRetry);
    }

    // If the call has tried every endpoint, no hedge can start later either.
    private bool HasUntried(FailoverCall call)
    {
        foreach (var member in context.Snapshot.Members)
        {
            if (call.History.TimesTried(member) == 0)
                return true;
        }
        return false;
    }

    // The bound of Mirrokni, Thorup and Zadimoghaddam (2018): no endpoint gets more than 1.25 times the average load.
    private static bool IsOverBound(EndpointState state, PoolSnapshot snapshot)
    {
        var total = 1;
        foreach (var member in snapshot.Members)
            total += member.InFlight;
        return state.InFlight + 1 > Math.Ceiling(1.25 * total / snapshot.Members.Length);
    }
}
