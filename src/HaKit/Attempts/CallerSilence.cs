using HaKit.Faults;
using HaKit.Health;

namespace HaKit.Attempts;

/// <summary>
/// Evaluates a silent attempt that its caller has cancelled. If a timeout outside the pool is shorter than the pool's own limit, every attempt on a dead
/// endpoint ends by that timeout. Such a silence must be evidence, because otherwise the pool would go on preferring the dead endpoint. But a single caller may
/// be impatient. So one or two such attempts make the endpoint suspect and raise its cost, and only several in a row count as failures.
/// </summary>
internal static class CallerSilence
{
    private const int CallersToAgree = 3;

    private static readonly Fault s_silence = new(FaultKind.FirstContentTimeout);
    // The limit when neither this endpoint nor any other has learned its times.
    private static readonly TimeSpan s_unusual = TimeSpan.FromSeconds(5);

    /// <summary>Gets the fault of the attempt: the caller's cancellation, or a silence if several callers cancelled in a row.</summary>
    public static Fault FaultOf(Lease lease, in HealthTicket ticket, Fault cancelled, TimeSpan now)
    {
        var state = lease.State;
        var usual = (state.Times.Quantile(lease.IsStream, 0.99) ?? lease.Owner?.UsualOfOthers(state, lease.IsStream)) is { } slowest ? 3 * slowest : s_unusual;
        if (now - lease.LastSignAt <= usual || lease.Clock.WasPausedSince(lease.Started, now))
            return cancelled;
        if (state.RecordLeftInSilence(lease.RequestNumber) >= CallersToAgree)
            return s_silence;
        state.Failure.RecordEnd(s_silence, now);
        state.Health.RecordLeftInSilence(ticket, s_silence, now);
        return cancelled;
    }
}
