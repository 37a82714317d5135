using HaKit.Faults;
using HaKit.Limits;

namespace HaKit.Attempts;

/// <summary>Holds the reservations of one attempt within the limits of its endpoint and its account: both or none. Owned by one lease; settled once.</summary>
internal struct AttemptReservation
{
    private LimitReservation _own;
    private LimitReservation _account;

    public bool TryTake(EndpointState state, long tokens, TimeSpan now)
    {
        if (!state.Limiter.TryReserve(tokens, now, out _own))
            return false;
        if (state.AccountLimiter.TryReserve(tokens, now, out _account))
            return true;
        state.Limiter.Cancel(in _own);
        return false;
    }

    /// <summary>Cancels the reservations, as if they had never been made.</summary>
    public readonly void Cancel(EndpointState state)
    {
        state.Limiter.Cancel(in _own);
        state.AccountLimiter.Cancel(in _account);
    }

    /// <summary>Releases the reservations, corrects the counted tokens by the actual usage (null: not known), and updates adaptive limits.</summary>
    /// <param name="state">The endpoint.</param>
    /// <param name="fault">The fault of the attempt. Null: none.</param>
    /// <param name="tokens">The number of tokens that the answer used. Null: not known.</param>
    /// <param name="isTrial">
    /// True if the attempt was a trial. A refused trial shows that the endpoint is still out, and not that even a single attempt is too many. Otherwise the learned
    /// limit would be 1 after each outage.
    /// </param>
    /// <param name="now">The current time on the pool's clock.</param>
    public readonly void Release(EndpointState state, Fault? fault, long? tokens, bool isTrial, TimeSpan now)
    {
        if (fault is null)
        {
            state.Limiter.RecordSuccess();
            state.AccountLimiter.RecordSuccess();
        }
        else if (!isTrial && fault.Kind is FaultKind.Throttled or FaultKind.Overloaded)
        {
            state.Limiter.RecordThrottle(now);
            state.AccountLimiter.RecordThrottle(now);
        }
        state.Limiter.SettleTokens(_own, tokens, now);
        state.AccountLimiter.SettleTokens(_account, tokens, now);
    }
}
