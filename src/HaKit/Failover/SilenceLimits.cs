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

    // An attempt is unusually slow after the time within which 95 of 100 answers come. This constant does not depend on the settings of hedging, because a
    // change of these settings must not change which endpoints are blamed.
    private const double SlowShare = 0.95;

    /// <summary>
    /// Gets the time until which a new attempt may be silent. The limit is learned from the endpoint's own times, or comes from the settings. A learned limit
    /// grows with the silences of the call's earlier attempts (<see cref="FailoverCall.Patience"/>).
    /// </summary>
    /// <remarks>
    /// While another endpoint could serve the call, the attempt may be silent only for a share of the remaining time (<see
    /// cref="FirstContentOptions.DeadlineShare"/>). Without this rule, an endpoint that never answers would use up the deadline. The rule has two exceptions. A
    /// request that must not be repeated gets the whole limit, because no other endpoint gets the request after a silence. An endpoint that usually needs more
    /// than the share gets its usual time, because otherwise its long answers would be cut and the endpoint would be blamed. This second exception does not
    /// apply if the endpoint is probably too slow for the deadline, and another endpoint can probably answer in the time that remains after the share.
    /// </remarks>
    /// <returns>
    /// The time until which the attempt may be silent; the time at which the attempt ends in any case; and whether the first time comes from a known limit. A
    /// limit is known if it was learned. If learning is off (<see cref="FirstContentOptions.Learned"/>), the setting is the known limit of a stream.
    /// </returns>
    public (TimeSpan Silent, TimeSpan Any, bool IsKnown) LimitsFor(FailoverCall call, EndpointState state, TimeSpan now)
    {
        var settings = context.Settings;
        var left = call.Deadline - now;
        var whole = Min(state.Endpoint.AttemptTimeout ?? settings.AttemptTimeout ?? left, left);
        var known = FirstContentLimit(call, state, settings);
        var silent = Min((settings.FirstContent.Learned ? Product(known, call.Patience) : known) ?? (settings.FirstContent.Learned ? settings.FirstContent.Timeout : whole), whole);
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
    /// Lets an attempt that has reached its limit on silence run on: for a short time if the timer of the limit was late, or to its end if the attempt is kept
    /// (<see cref="KeepsSilent"/>). False if the attempt must end now.
    /// </summary>
    /// <param name="call">The call.</param>
    /// <param name="lease">The attempt.</param>
    /// <param name="isBesideKept">True if the call has kept another attempt, which still runs.</param>
    /// <param name="now">The current time on the pool's clock.</param>
    public bool TryProlong(FailoverCall call, Lease lease, bool isBesideKept, TimeSpan now)
    {
        if (lease.TryMakeUpForLateTimer(now))
            return true;
        if (now >= lease.EndsAt || !KeepsSilent(call, lease, isBesideKept, now))
            return false;
        lease.KeepUntilEnd(now);
        call.LastFailure = lease.Started; // endpoints that have come back since the start of the silent attempt may get the second attempt
        if (lease.AsksOutage)
            EndTrial(call, lease, now);
        return true;
    }

    /// <summary>
    /// Decides whether an attempt that was silent up to its limit is kept. An attempt is kept at most once. If its limit is known (<see cref="LimitsFor"/>), it
    /// is kept only under four conditions: it is the trial of an outage (<see cref="Lease.MayOutlastLimit"/>), the call has no untried endpoint, the call has
    /// kept no other attempt, and half of the endpoint's places stay free for the next trials.
    /// </summary>
    /// <remarks>
    /// If the limit is not known, the attempt is kept, because a plain answer may legitimately take that long. If the request may be repeated, there are two
    /// exceptions. A stream is not kept if it moves on (<see cref="MovesOn"/>). The attempt for the one second opinion about a refused request (<see
    /// cref="RefusalState.MayAskOne"/>) is not kept, because the caller can get the refusal instead. This second exception does not apply to a call with <see
    /// cref="RequestProfile.Preferred"/>, because the refusal probably comes from an endpoint that is known to refuse such requests.
    /// </remarks>
    private bool KeepsSilent(FailoverCall call, Lease lease, bool isBesideKept, TimeSpan now)
    {
        if (lease.KeptSince is not null)
            return false;
        if (lease.IsLimitKnown)
            return lease.MayOutlastLimit && !isBesideKept && LeavesPlaces(lease.State) && !untried.HasAny(call, now);
        return !(call.Profile.MayRepeat && (call.History.Refusal == RefusalState.MayAskOne && call.Profile.Preferred is null || MovesOn(call, isBesideKept, now)));
    }

    // The trial of an outage is silent up to its limit. Another call may make the next trial now, also on the same endpoint. But this attempt runs on: the
    // endpoints may have become slow, and no other endpoint serves. If it is answered, its endpoint is back (HealthTransitions.IsLateAnswerOfTrial), and the
    // learned limit grows (LearnedTimeout.CurrentForAnswers). If each trial were cut at the old limit, slow endpoints would be out until they are fast again.
    private void EndTrial(FailoverCall call, Lease lease, TimeSpan now)
    {
        lease.AsksOutage = false;
        call.KeepsTrial = true;
        lease.RecordSilentTrial(now);
        context.Outage.EndTrial(now, context.Chance.NextDouble());
    }

    // A kept attempt takes a place until the end of its call. If silent trials took all places of a limited endpoint, no trial would notice that it is back.
    private static bool LeavesPlaces(EndpointState state) => state.Limiter.IsHalfFree && state.AccountLimiter.IsHalfFree;

    // A silent stream moves on to an untried endpoint. But if an earlier attempt of the call was silent too, the endpoints are probably slow and not down. If
    // the call moved on each time, each endpoint would get only 30 s, and no endpoint that needs longer would ever answer. So the second silent attempt is kept,
    // and the untried endpoints are asked beside it, one after another.
    private bool MovesOn(FailoverCall call, bool isBesideKept, TimeSpan now) => call.IsStream && (isBesideKept || !call.HasBeenSilent) && untried.HasAny(call, now);

    /// <summary>
    /// Gets the time from which a second attempt may start beside a kept attempt. If the kept attempt has given no sign of progress since it was kept, the
    /// second attempt may start at once. Otherwise it may start after another silence. After the first content of the kept attempt, the time is <see
    /// cref="TimeSpan.MaxValue"/> (never), because the answer is arriving.
    /// </summary>
    public TimeSpan SilentAgainAt(Lease lease)
    {
        if (lease.FirstContentAt is not null)
            return TimeSpan.MaxValue;
        return lease.LastSignAt > lease.KeptSince ? lease.LastSignAt + context.Settings.FirstContent.Timeout : TimeSpan.Zero;
    }

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
    /// Checks whether an attempt that lost to another attempt had been silent for longer than the 95th percentile of its endpoint's answer times. A healthy
    /// endpoint is that slow in one of twenty calls, which is too rare to eject the endpoint. A silent endpoint is that slow in every call.
    /// </summary>
    public bool WasUnusuallySilent(FailoverCall call, Lease lease, TimeSpan now) =>
        lease.FirstContentAt is null && (lease.State.Times.Quantile(call.IsStream, SlowShare) ?? (call.IsStream || lease.KeptSince is not null ? context.Settings.FirstContent.Timeout : null)) is { } usual
        && now - lease.LastSignAt >= usual;

    /// <summary>
    /// Gets the usual time of the slowest endpoint other than <paramref name="state"/>: the 99th percentile of its times to the first content of a stream, or to
    /// a whole plain answer. Null if no other endpoint has had enough answers.
    /// </summary>
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
    /// Checks whether the end of the call's time cut the attempt short. The attempt was then silent for less time than usual, so its silence must not count
    /// against the endpoint.
    /// </summary>
    public bool WasCutShort(FailoverCall call, Lease lease, TimeSpan now) =>
        now - lease.LastSignAt < (lease.State.Times.Quantile(call.IsStream, SlowShare) ?? context.Settings.FirstContent.Minimum);

    // An endpoint that is out now, or that the call has tried before, is also accepted here: it may be healthy again when the silence reaches its limit.
    private bool AnotherCouldServe(FailoverCall call, EndpointState state, TimeSpan? within, TimeSpan now)
    {
        var snapshot = context.Snapshot;
        var query = new SelectionQuery(call.Profile, call.History, now).ForPreferred(snapshot).PreferRoom(snapshot);
        foreach (var member in snapshot.Members)
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

    // Until the endpoint's times are learned, a stream has the limit of the settings, and a plain answer has no limit.
    private TimeSpan? SilenceLimit(FailoverCall call, EndpointState state) =>
        FirstContentLimit(call, state, context.Settings) ?? (call.IsStream ? context.Settings.FirstContent.Timeout : null);

    // A limit may be close to TimeSpan.MaxValue. The product must not overflow, so such a limit stays as it is.
    private static TimeSpan? Product(TimeSpan? limit, double factor) =>
        limit is { } time && time.Ticks < TimeSpan.MaxValue.Ticks / factor ? time * factor : limit;

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;
}
