using HaKit.Faults;
using HaKit.Health;

namespace HaKit.Attempts;

/// <summary>
/// Evaluates a silent attempt that its caller has cancelled. If a timeout outside the pool is shorter than the pool's own limit, every attempt on a dead
/// endpoint ends by that timeout. Such a silence must be evidence, because otherwise the pool would go on preferring the dead endpoint. But a single caller may
/// be impatient. So only several such attempts in a row count as failures: a few if they were silent for much longer than usual, and more if they were not.
/// </summary>
internal static class CallerSilence
{
    // Each silent attempt that a caller cancels adds its weight, and an answer resets the sum. From this sum on, each further attempt counts as a failure.
    private const int Enough = 24;

    // Three attempts in a row with this weight reach Enough.
    private const int AfterLongSilence = 8;

    // A healthy endpoint is silent for longer than its own 99th percentile in one of a hundred attempts. Eight such silent attempts in a row reach Enough.
    private const int BeyondOwnTimes = 3;

    // The endpoint's own times are not known, so the requests may simply take longer than the callers wait.
    private const int BeyondOtherTimes = 1;

    private static readonly Fault s_silence = new(FaultKind.FirstContentTimeout);

    // The limits if neither this endpoint nor any other has learned its times.
    private static readonly TimeSpan s_long = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_short = TimeSpan.FromSeconds(1);

    /// <summary>Gets the fault of the attempt: the caller's cancellation, or a silence if several callers cancelled in a row.</summary>
    public static Fault FaultOf(Lease lease, in HealthTicket ticket, Fault cancelled, TimeSpan now)
    {
        var silence = now - lease.LastSignAt;
        if (lease.Clock.WasPausedSince(lease.Started, now))
            return cancelled;
        if (ticket.IsTrial)
            return silence > LimitOfTrial(lease) ? s_silence : cancelled;
        var weight = WeightOf(lease, silence, now);
        if (weight == 0)
            return cancelled;
        var state = lease.State;
        if (state.RecordLeftInSilence(lease.RequestNumber, weight) >= Enough)
            return s_silence;
        if (weight == AfterLongSilence)
        {
            state.Failure.RecordEnd(s_silence, now);
            state.Health.RecordLeftInSilence(ticket, s_silence, now);
        }
        return cancelled;
    }

    // The endpoint was ejected, so the trial has to show that the endpoint answers again. If a cancelled trial never counted, the next call would become the
    // next trial at once. With callers that wait for only a short time, call after call would be lost on an endpoint that stays silent, although other endpoints
    // are healthy. So the trial has failed if half of the endpoint's usual answers, or nearly all usual answers of the other endpoints, would have come by then.
    private static TimeSpan LimitOfTrial(Lease lease)
    {
        var own = lease.State.Times.Quantile(lease.IsStream, 0.5);
        var others = lease.Owner?.UsualOfOthers(lease.State, lease.IsStream);
        if (own is not { } half)
            return others ?? s_short;
        return others < half ? others.Value : half;
    }

    // A silence that was not much longer than usual counts only if another endpoint can take the calls. Otherwise impatient callers could take the only endpoint
    // from callers that wait for longer.
    private static int WeightOf(Lease lease, TimeSpan silence, TimeSpan now)
    {
        var own = lease.State.Times.Quantile(lease.IsStream, 0.99);
        var usual = own ?? lease.Owner?.UsualOfOthers(lease.State, lease.IsStream);
        if (silence > (usual is { } known ? 3 * known : s_long))
            return AfterLongSilence;
        if (silence <= (usual ?? s_short) || lease.Owner?.HasUntried(now) != true)
            return 0;
        return own is null ? BeyondOtherTimes : BeyondOwnTimes;
    }
}
