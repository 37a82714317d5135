using HaKit.Attempts;
using HaKit.Estimates;
using HaKit.Health;
using HaKit.Selection;

namespace HaKit.Failover;

/// <content>Decides when a second attempt starts beside a slow one.</content>
internal sealed partial class FailoverEngine
{
    /// <summary>Gets when a second attempt may start beside this one; never for calls and endpoints that must not be hedged.</summary>
    public TimeSpan HedgeAt(FailoverCall call, Lease lease)
    {
        var hedging = Settings.Hedging;
        if (!(call.Profile.MayHedge ?? hedging.Enabled) || !call.Profile.MayRepeat || lease.FirstContentAt is not null
            || lease.State.Times.UsualQuantile(call.IsStream, 1 - hedging.MaxShare) is not { } slow)
        {
            return TimeSpan.MaxValue;
        }

        return lease.HeardAt + Max(slow, hedging.MinimumDelay);
    }

    /// <summary>Starts a second attempt on another endpoint that is not overloaded, if the budget allows it.</summary>
    public Lease? TryHedge(FailoverCall call, TimeSpan now)
    {
        var snapshot = Snapshot;
        var choice = Choice.None;
        call.HedgeWasConsidered = true;
        try
        {
            if (MayTryAnother(call, Settings))
                choice = Selector.Choose(snapshot, new SelectionQuery(call.Profile, call.History, now));
        }
#pragma warning disable CA1031 // A user's selector that throws now would leave the attempt that is under way without an owner.
        catch (Exception)
#pragma warning restore CA1031
        {
            return null;
        }
        if (choice is not { State: { } state, Admission: Admission.Normal } || IsOverBound(state, snapshot) || !Budget.TryHedge())
        {
            call.HedgeWasConsidered = false; // an endpoint or the budget may have room a moment later
            return null;
        }
        if (TryStart(call, state, BeginMode.Normal, now) is { } lease)
        {
            call.Hedged = true;
            return lease;
        }
        Budget.GiveBackHedge();
        return null;
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
