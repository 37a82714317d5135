using HaKit.Attempts;
using HaKit.Estimates;
using HaKit.Faults;
using HaKit.Health;
using HaKit.Selection;

namespace HaKit.Failover;

/// <summary>
/// Decides how long an attempt may be silent, and whether its silence counts against its endpoint. The decision uses the endpoint's own times. Until these are
/// learned, it uses the settings.
/// </summary>
internal sealed class SilenceLimits(FailoverContext context, UntriedEndpoints untried)
{
    // The usual time of an endpoint is the time within which 99 of 100 answers come.
    private const double UsualShare = 0.99;

    // 5 of 100 answers of an endpoint are this slow, independently of the share of hedged calls.
    private const double SlowShare = 0.95;

    /// <summary>
    /// Gets when a new attempt is given up. The limits are those of the endpoint. While another endpoint could serve the call, the attempt may also take only a
    /// share of the remaining time, so that an endpoint that never answers does not use up the deadline. The share does not apply to a request that must not be
    /// repeated, because no other endpoint gets it after a silence. It does not apply either if the endpoint usually takes longer; otherwise long answers would
    /// be cut and their endpoints blamed. But it applies if the usual answer comes after the deadline, and another endpoint's usual answer does not. Until the
    /// endpoint's times are learned, an attempt that reaches its limit may be kept. Each silence of an endpoint that serves other calls gives the call's next attempts more time.
    /// </summary>
    /// <returns>
    /// The time until which the attempt may be silent, the time at which it ends at the latest, and whether the first of these times was learned.
    /// </returns>
    public (TimeSpan Silent, TimeSpan Any, bool IsKnown) LimitsFor(FailoverCall call, EndpointState state, TimeSpan now)
    {
        var settings = context.Settings;
        var left = call.Deadline - now;
        var whole = Min(state.Endpoint.AttemptTimeout ?? settings.AttemptTimeout ?? left, left);
        var known = FirstContentLimit(call, state, settings);
        var silent = Min(known * (settings.FirstContent.Learned ? call.Patience : 1) ?? (settings.FirstContent.Learned ? settings.FirstContent.Timeout : whole), whole);
        var share = left < TimeSpan.MaxValue / 2 ? left * settings.FirstContent.DeadlineShare : left;
        if (share < silent && call.Profile.MayRepeat && AnotherCouldServe(call, state, null, now))
        {
            // If this endpoint would probably answer too late, and another endpoint would not, the call must not spend all of its time here.
            var isTooSlow = !MayAnswerWithin(call, state, left) && AnotherCouldServe(call, state, left - share, now);
            silent = Min(silent, isTooSlow ? share : Max(share, state.Times.Quantile(call.IsStream, UsualShare) ?? TimeSpan.Zero));
        }

        return (After(silent), After(whole), known is not null);

        TimeSpan After(TimeSpan limit) => limit < left ? now + limit : call.Deadline;
    }

    /// <summary>
    /// Decides whether an attempt that was silent up to its limit is kept. It is not kept if the limit was learned from the endpoint's own times. Otherwise a
    /// stream is cancelled if the call has an untried endpoint. A plain answer is kept, because it may legitimately take that long. A request that must not be
    /// repeated is kept too.
    /// </summary>
    public bool KeepsSilent(FailoverCall call, Lease lease, TimeSpan now) =>
        !lease.IsLimitKnown && lease.KeptSince is null && lease.EndsAt > now && !(call.IsStream && call.Profile.MayRepeat && untried.HasAny(call, now));

    /// <summary>Gets the fault of an attempt that has reached its limit. If the end of the call cut the attempt short, the silence is not the endpoint's fault.</summary>
    public Fault OverdueFault(FailoverCall call, Lease lease, TimeSpan now)
    {
        var isSilent = IsSilent(call, lease, now);
        if (now >= call.Deadline && !isSilent)
            return KnownFaults.DeadlineExceeded;
        if (lease.FirstContentAt is not null)
            return KnownFaults.AttemptTimeout;
        // The learned limit and the limits of the settings apply to the endpoint, however short they are. Any other limit is a share of the call's time.
        var isEndpointLimit = isSilent || now >= lease.EndsAt && lease.EndsAt < call.Deadline;
        return !isEndpointLimit && WasCutShort(call, lease, now) ? KnownFaults.DeadlineExceeded : KnownFaults.FirstContentTimeout;
    }

    /// <summary>Checks whether the attempt has been silent for longer than usual for its endpoint.</summary>
    public bool IsSilent(FailoverCall call, Lease lease, TimeSpan now) =>
        lease.FirstContentAt is null && SilenceLimit(call, lease.State) is { } limit && now - lease.LastSignAt >= limit;

    /// <summary>
    /// Checks whether an attempt that lost to another attempt had been silent for longer than 95 of 100 answers of its endpoint take. A healthy endpoint is so
    /// slow in one of twenty calls, which is too rare to eject it. A silent endpoint is so slow in every call.
    /// </summary>
    public bool WasUnusuallySilent(FailoverCall call, Lease lease, TimeSpan now) =>
        lease.FirstContentAt is null && (lease.State.Times.Quantile(call.IsStream, SlowShare) ?? (call.IsStream || lease.KeptSince is not null ? context.Settings.FirstContent.Timeout : null)) is { } usual
        && now - lease.LastSignAt >= usual;

    /// <summary>Gets the slowest 99th percentile of the other endpoints. Null if no other endpoint has enough times.</summary>
    public TimeSpan? UsualOfOthers(EndpointState state, bool isStream)
    {
        TimeSpan? slowest = null;
        foreach (var member in context.Snapshot.Members)
        {
            if (!ReferenceEquals(member, state) && member.Times.Quantile(isStream, UsualShare) is { } usual && !(usual <= slowest))
                slowest = usual;
        }
        return slowest;
    }

    /// <summary>
    /// Checks whether the attempt was cancelled so early, because the call had no more time, that its silence must not count against the endpoint.
    /// </summary>
    public bool WasCutShort(FailoverCall call, Lease lease, TimeSpan now) =>
        now - lease.LastSignAt < (lease.State.Times.Quantile(call.IsStream, SlowShare) ?? context.Settings.FirstContent.Minimum);

    // Endpoints that are out now, or that the call has tried before, count too: they may be healthy again when the silence reaches its limit.
    private bool AnotherCouldServe(FailoverCall call, EndpointState state, TimeSpan? within, TimeSpan now)
    {
        var query = new SelectionQuery(call.Profile, call.History, now);
        foreach (var member in context.Snapshot.Members)
        {
            if (!ReferenceEquals(member, state) && member.Health.State.Status is not (EndpointHealthStatus.Draining or EndpointHealthStatus.ForcedDown) && query.CanServe(member)
                && (within is not { } time || MayAnswerWithin(call, member, time)))
            {
                return true;
            }
        }

        return false;
    }

    private bool MayAnswerWithin(FailoverCall call, EndpointState state, TimeSpan time) =>
        new AnswerTime(call.IsStream, context.Settings.Retry.MinimumChance, time).IsPossible(state);

    private static TimeSpan? FirstContentLimit(FailoverCall call, EndpointState state, FailoverSettings settings)
    {
        if (settings.FirstContent.Learned)
            return state.Times.LearnedLimit(call.IsStream);
        return call.IsStream ? settings.FirstContent.Timeout : null;
    }

    // A plain answer has no limit until the endpoint's times are learned.
    private TimeSpan? SilenceLimit(FailoverCall call, EndpointState state) =>
        FirstContentLimit(call, state, context.Settings) ?? (call.IsStream ? context.Settings.FirstContent.Timeout : null);

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;
}
