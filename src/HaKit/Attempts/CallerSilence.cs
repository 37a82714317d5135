using HaKit.Faults;
using HaKit.Health;

namespace HaKit.Attempts;

/// <summary>
/// What it means that a caller left an attempt in silence. A timeout outside the pool ends attempts before the pool would. Silence is evidence all the same, or a
/// dead endpoint would stay preferred; but a caller may be impatient, so one or two make the endpoint suspect and dearer, and only callers that agree count
/// against it.
/// </summary>
internal static class CallerSilence
{
    private const int CallersToAgree = 3;

    private static readonly Fault s_silence = new(FaultKind.FirstContentTimeout);
    // Where neither the endpoint nor any other has learned its times.
    private static readonly TimeSpan s_unusual = TimeSpan.FromSeconds(5);

    /// <summary>The fault that the attempt ends with: the caller's cancellation, or a silence where callers agree.</summary>
    public static Fault FaultOf(Lease lease, in HealthTicket ticket, Fault cancelled, TimeSpan now)
    {
        var state = lease.State;
        var usual = (state.Times.Quantile(lease.IsStream, 0.99) ?? lease.Owner?.UsualOfOthers(state, lease.IsStream)) is { } slowest ? 3 * slowest : s_unusual;
        if (now - lease.HeardAt <= usual || lease.Clock.StoodStillSince(lease.Started, now))
            return cancelled;
        if (state.LeftInSilence(lease.RequestNumber) >= CallersToAgree)
            return s_silence;
        state.Failure.Ended(s_silence, now);
        state.Health.LeftInSilence(ticket, s_silence, now);
        return cancelled;
    }
}
