using HaKit.Faults;

namespace HaKit.Attempts;

/// <summary>Updates an endpoint's estimates from one attempt. Times that a pause of this process made longer are ignored.</summary>
internal static class AttemptEstimates
{
    /// <summary>Records the length of the silence before the first sign of an answer.</summary>
    public static void RecordFirstSign(Lease lease, bool wasSilent, TimeSpan now)
    {
        if (!wasSilent || lease.Clock.WasPausedSince(lease.Started, now))
            return;
        lease.State.Latency.RecordFirstContent(now - lease.Started, lease.EstimatedInputTokens, now);
        if (lease.IsStream)
            lease.State.Times.Record(isStream: true, now - lease.Started, isAnswer: true);
    }

    /// <summary>Records the times and tokens of an attempt that has ended.</summary>
    public static void RecordEnd(Lease lease, bool wasSilent, Fault? fault, TimeSpan now)
    {
        if (lease.Clock.WasPausedSince(lease.Started, now))
            return;
        var (state, took) = (lease.State, now - lease.Started);
        if (MeasuresTime(lease, fault))
            state.Times.Record(lease.IsStream, took, isAnswer: fault is null);
        if (wasSilent && fault is null)
            state.Latency.RecordFirstContent(took, lease.EstimatedInputTokens, now);
        else if (wasSilent && lease.CancelledFor is not null)
            state.Latency.RecordSilence(took, lease.EstimatedInputTokens, now);
        if (fault is null && lease.FirstContentAt is { } first && lease.OutputTokens is { } output)
            state.Latency.RecordStreamEnd(now - first, output);
    }

    // An attempt that timed out while it was silent counts with its waiting time; otherwise the estimates would contain only fast answers. The time of a stream
    // was already recorded at its first content. An endpoint that has never answered is not slow. A trial of an outage does not count if it may run on beyond
    // its limit, because the answer that then comes is better evidence.
    private static bool MeasuresTime(Lease lease, Fault? fault)
    {
        if (fault is null)
            return !lease.IsStream || lease.FirstContentAt is null;
        return fault.Kind == FaultKind.FirstContentTimeout && !lease.MayOutlastLimit && lease.State.AnsweredAt is not null
            && lease.State.RecordSilence(lease.IsTrial && !lease.AsksOutage);
    }
}
