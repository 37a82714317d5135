using HaKit.Faults;
using HaKit.Health;

namespace HaKit.Attempts;

/// <summary>
/// Decides what it means that a caller gave up a silent attempt. A timeout outside the pool ends attempts before the pool's own limit. This silence is
/// evidence, because otherwise a dead endpoint would stay preferred. But a single caller may be impatient: one or two such attempts make the endpoint suspect
/// and raise its cost, and only several in a row count against it.
/// </summary>
internal static class CallerSilence
{
    private const int CallersToAgree = 3;

    private static readonly Fault s_silence = new(FaultKind.FirstContentTimeout);
    // The limit when neither this endpoint nor any other has learned its times.
    private static readonly TimeSpan s_unusual = TimeSpan.FromSeconds(5);

    /// <summary>Gets the fault of the attempt: the caller's cancellation, or a silence if several callers gave up in a row.</summary>
    public static Fault FaultOf(Lease lease, in HealthTicket ticket, Fault cancelled, TimeSpan now)
    {
        var state = lease.State;
        var usual = (state.Times.Quantile(lease.IsStream, 0.99) ?? lease.Owner?.UsualOfOthers(state, lease.IsStream)) is { } slowest ? 3 * slowest : s_unusual;
        if (now - lease.HeardAt <= usual || lease.Clock.StoodStillSince(lease.Started, now))
            return cancelled;
        if (state.RecordLeftInSilence(lease.RequestNumber) >= CallersToAgree)
            return s_silence;
        state.Failure.RecordEnd(s_silence, now);
        state.Health.RecordLeftInSilence(ticket, s_silence, now);
        return cancelled;
    }
}
