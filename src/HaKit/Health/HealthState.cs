using HaKit.Faults;

namespace HaKit.Health;

/// <summary>
/// Describes the health of one endpoint at one moment. Immutable; safe to share between threads. All times are on the pool's monotonic clock, counted from
/// its origin.
/// </summary>
public sealed record HealthState
{
    private static readonly TimeSpan s_soon = TimeSpan.FromSeconds(10);

    internal HealthState(TimeSpan since) => (Since, EpochSince) = (since, since);

    /// <summary>Gets the status.</summary>
    public EndpointHealthStatus Status { get; internal init; }

    /// <summary>Gets when <see cref="Status"/> was entered.</summary>
    public TimeSpan Since { get; internal init; }

    /// <summary>
    /// Gets the fault that caused <see cref="Status"/>; during a slow start, the latest fault. Null if the endpoint is healthy, or if an operator took it out.
    /// </summary>
    public Fault? Cause { get; internal init; }

    /// <summary>Gets when an ejected endpoint may be tried. The value stays during the trial, and is null once the endpoint is back in service.</summary>
    public TimeSpan? Until { get; internal init; }

    /// <summary>
    /// Gets the end of the cooldown that a server's refusal began. <see cref="TimeSpan.MaxValue"/>: the cooldown lasts until a success or an operator clears
    /// it. Null: there is no cooldown. A cooldown is independent of an ejection.
    /// </summary>
    public TimeSpan? CooldownUntil => Cooldown?.Until;

    /// <summary>Gets the fault that caused the cooldown.</summary>
    public Fault? CooldownCause => Cooldown?.Cause;

    /// <summary>
    /// Gets the number of ejections that count. At each ejection, the pool first subtracts the ejections that it has forgotten by then
    /// (<see cref="HealthOptions.EjectionMemory"/>), and then adds 1. The first ejection has the base length, and each further ejection that counts doubles the
    /// length, up to the maximum. At least 0.
    /// </summary>
    public int Ejections { get; internal init; }

    /// <summary>Gets the number of consecutive failures that count.</summary>
    public int ConsecutiveFailures { get; internal init; }

    /// <summary>Gets the number of failed probes in a row.</summary>
    public int ProbeMisses { get; internal init; }

    /// <summary>Returns the state in words: <c>Healthy</c>, <c>Ejected because of ConnectFailed</c>, <c>Cooling down because of Throttled (429)</c>.</summary>
    public override string ToString()
    {
        var cooling = CooldownCause is { } cause ? $"ooling down because of {cause}" : null;
        if (cooling != null && Status is EndpointHealthStatus.Healthy or EndpointHealthStatus.Suspect or EndpointHealthStatus.SlowStart)
            return $"C{cooling}";
        var text = Cause is { } fault ? $"{Status} because of {fault}" : $"{Status}";
        return cooling == null ? text : $"{text}, and c{cooling}";
    }

    internal Cooldown? Cooldown { get; init; }

    /// <summary>Gets the number of calls in a row that the endpoint refused and another endpoint then served.</summary>
    internal int Refusals { get; init; }

    /// <summary>Gets the number of consecutive refusals of a key or a quota: the refusal that began the cooldown, and the refusals of its trials since then.</summary>
    internal int ClearRefusals { get; init; }

    /// <summary>Gets whether the endpoint is ejected because of refusals; such an ejection is short.</summary>
    internal bool IsOutForRefusals { get; init; }

    /// <summary>Gets the number of failures to connect in a row. 0 after a failure of another kind, and after a probe that connected.</summary>
    internal int ConnectFailures { get; init; }

    /// <summary>Gets the number of failures without an answer in a row: failures to connect and silences. 0 after a failure that the server answered.</summary>
    internal int UnansweredFailures { get; init; }

    /// <summary>Gets whether the endpoint would have been ejected if another endpoint had been admitted at that time.</summary>
    internal bool IsSpared { get; init; }

    /// <summary>
    /// Gets how many attempts had begun when the first of <see cref="ConsecutiveFailures"/> was recorded. Null if attempts are not counted.
    /// </summary>
    internal long? StreakFrom { get; init; }

    /// <summary>Gets the lowest level that a probe must test to disprove <see cref="Cause"/>.</summary>
    internal ProbeLevel CauseLevel { get; init; }

    /// <summary>Gets whether the endpoint is returning only because a probe succeeded.</summary>
    internal bool IsBackByProbe { get; init; }

    /// <summary>Gets the number of successful probes in a row during an ejection.</summary>
    internal int ProbeHits { get; init; }

    /// <summary>Gets the number of consecutive throttles (429) without a Retry-After. <see cref="ThrottledAt"/> is the time of the latest of these throttles.</summary>
    internal int Throttles { get; init; }

    internal TimeSpan? ThrottledAt { get; init; }

    /// <summary>
    /// Gets the number of consecutive answers with a Retry-After. A burst of them during one cooldown counts as one answer. <see cref="NamedAt"/> is the time of
    /// the latest counted answer.
    /// </summary>
    internal int NamedTimes { get; init; }

    internal TimeSpan? NamedAt { get; init; }

    /// <summary>
    /// Gets whether connections to the endpoint have failed recently: several times in a row, or once while the pool could connect to no other endpoint. In the
    /// second case the endpoint stays admitted, because this machine's network may be at fault. Even so, requests cannot reach the endpoint now.
    /// </summary>
    internal bool IsUnreachable => Cause is { IsConnectClass: true } && IsInService && (ConnectsNowhere || ConnectFailures > 1 || ProbeMisses > 1 && !AreMissesOnlyCounted);

    /// <summary>
    /// Gets whether the latest failure to connect came while the pool could connect to none of its endpoints (<see cref="HealthEvidence.IsNetworkSuspect"/>).
    /// After a success, a failure of another kind or an ejection, the value is false.
    /// </summary>
    internal bool ConnectsNowhere { get; init; }

    /// <summary>Gets whether <see cref="ProbeMisses"/> have no effect, because <see cref="HealthOptions.HeartbeatsRule"/> is not enforced.</summary>
    internal bool AreMissesOnlyCounted { get; init; }

    /// <summary>Gets the slow start with which the endpoint last returned to service.</summary>
    internal SlowStart Return { get; init; }

    /// <summary>Gets when the running trial counts as failed, if it has no result until then.</summary>
    internal TimeSpan TrialUntil { get; init; }

    /// <summary>Gets whether the running trial was allowed before the end of the ejection, because too few endpoints, or none, could serve.</summary>
    internal bool IsOutageTrial { get; init; }

    // A state is allocated at each failure. This field is 8 bytes smaller than a nullable time.
    private readonly TimeSpan _judgedAt = TimeSpan.MinValue;

    /// <summary>Gets when the current ejection was decided. Null if the ejection can no longer be undone.</summary>
    internal TimeSpan? JudgedAt
    {
        get => _judgedAt == TimeSpan.MinValue ? null : _judgedAt;
        init => _judgedAt = value ?? TimeSpan.MinValue;
    }

    /// <summary>
    /// Gets the state during the failed trial that caused the current ejection, so that the failure can be undone. Null if the endpoint was in service when it was
    /// ejected.
    /// </summary>
    internal HealthState? FailedTrial { get; init; }

    /// <summary>
    /// Gets the time of the first complete recovery since this replica last ejected the endpoint. A recovery is complete when its slow start has ended. From this
    /// time on, the number of ejections that count decreases step by step. Null: no recovery has been complete since the latest ejection.
    /// </summary>
    internal TimeSpan? RecoveredAt { get; init; }

    /// <summary>Gets when a cooldown was last cleared early. Older evidence does not start it again.</summary>
    internal TimeSpan ClearedAt { get; init; } = TimeSpan.MinValue;

    /// <summary>
    /// Gets the number of the current epoch. Several events begin a new epoch, such as an ejection, the start of a trial, or an operator's order. Evidence of
    /// an attempt that began in another epoch is too late and does not count.
    /// </summary>
    internal int Epoch { get; init; }

    /// <summary>Gets the start of the current epoch.</summary>
    internal TimeSpan EpochSince { get; init; }

    /// <summary>
    /// Gets when the endpoint left service, or could not be reached any more. Failed trials do not change it, and an ejection that is undone because this machine's
    /// network may be at fault does not change it either.
    /// </summary>
    internal TimeSpan OutSince { get; init; }

    /// <summary>Gets <see cref="OutSince"/> if the endpoint is out of service or cannot be reached. Otherwise null.</summary>
    internal TimeSpan? FailingSince => IsInService && !IsUnreachable ? null : OutSince;

    /// <summary>Gets whether other replicas ejected the endpoint, and not this replica's own evidence.</summary>
    internal bool IsByPeers { get; init; }

    /// <summary>
    /// Gets whether another replica's trial has succeeded since this replica's latest trial. Failed trials of other replicas then no longer delay this
    /// replica's trial.
    /// </summary>
    internal bool HasRecoveredAtPeer { get; init; }

    /// <summary>Gets whether this replica also had failures, but too few for an ejection, when other replicas ejected the endpoint.</summary>
    internal bool IsDoubted { get; init; }

    /// <summary>Gets the original time of the trial. Trials of other replicas have postponed it to <see cref="Until"/>. Null if the trial was not postponed.</summary>
    internal TimeSpan? OwnUntil { get; init; }

    /// <summary>Gets whether the endpoint is in service. A cooldown may still keep traffic away.</summary>
    internal bool IsInService => Status is EndpointHealthStatus.Healthy or EndpointHealthStatus.Suspect or EndpointHealthStatus.SlowStart;

    /// <summary>Gets whether a success would not change this state. Such a success need not be passed to <see cref="HealthReducer"/>.</summary>
    internal bool IsClean => Status is EndpointHealthStatus.Healthy or EndpointHealthStatus.SlowStart
        && (ConsecutiveFailures | ProbeMisses | Throttles | Refusals | NamedTimes) == 0 && !ConnectsNowhere;

    internal bool IsCooling(TimeSpan now) => Cooldown is { } cooldown && now < cooldown.Until;

    /// <summary>Checks whether the endpoint may take ordinary traffic.</summary>
    /// <param name="now">The current time on the pool's clock.</param>
    public bool Admits(TimeSpan now) => IsInService && !IsCooling(now);

    /// <summary>Checks whether the endpoint may take one trial: its ejection is over, or its cooldown allows a trial, and no trial is running.</summary>
    /// <param name="now">The current time on the pool's clock.</param>
    public bool IsTrialReady(TimeSpan now)
    {
        var cooling = IsCooling(now);
        if (cooling && now < Cooldown!.TrialAt)
            return false;
        return Status == EndpointHealthStatus.Ejected ? now >= Until : cooling && IsInService;
    }

    /// <summary>Gets since when a trial has been due, if the endpoint may take one (<see cref="IsTrialReady"/>).</summary>
    internal TimeSpan TrialDueAt
    {
        get
        {
            var outUntil = Until ?? TimeSpan.Zero;
            return Cooldown is { } cooldown && cooldown.TrialAt > outUntil ? cooldown.TrialAt : outUntil;
        }
    }

    /// <summary>
    /// Checks whether the endpoint may take one trial while no other endpoint can serve. The ejection's period then does not matter, but a server's cooldown,
    /// a running trial and an operator's order still do.
    /// </summary>
    /// <param name="now">The current time on the pool's clock.</param>
    public bool IsTrialAllowedInOutage(TimeSpan now)
    {
        if (IsCooling(now))
            return now >= Cooldown!.OutageTrialAt && (IsInService || Status == EndpointHealthStatus.Ejected);
        return Status == EndpointHealthStatus.Ejected;
    }

    /// <summary>
    /// Gets whether the running trial of an outage began during the pool's own cooldown for throttles. If this trial is throttled too, the cooldown does not become
    /// longer. Otherwise the trials of an outage would keep the endpoint out long after the outage.
    /// </summary>
    internal bool IsInEarlyTrial(TimeSpan now) => IsOutageTrial && Status == EndpointHealthStatus.Trial && Cooldown?.EarlyTrialAt is not null && IsCooling(now);

    /// <summary>
    /// Gets when the cooldown allows a call to use the endpoint: at the end of the cooldown. If the cooldown lasts until it is cleared, and its next trial is due
    /// within 10 s from now, this is the time of the trial. So a call waits for a trial that is due soon, for example after the first refusal of a key that has
    /// served recently.
    /// </summary>
    internal TimeSpan AskableAt(TimeSpan now)
    {
        if (Cooldown is not { } cooldown)
            return now;
        return cooldown.IsUntilCleared && cooldown.TrialAt - now <= s_soon ? cooldown.TrialAt : cooldown.Until;
    }

    /// <summary>
    /// Gets the factor on the endpoint's weight, above 0 and at most 1. It grows linearly during a slow start after an ejection or a cooldown.
    /// </summary>
    /// <param name="now">The current time on the pool's clock.</param>
    public double SlowStartShare(TimeSpan now)
    {
        if (IsInService && Cooldown is { } cooldown && now >= cooldown.Until)
            return (Status == EndpointHealthStatus.SlowStart ? cooldown.Return.NotBefore(Return.Until) : cooldown.Return).Factor(now);
        return Status == EndpointHealthStatus.SlowStart ? Return.Factor(now) : 1;
    }

    /// <summary>
    /// Gets the next time after <paramref name="now"/> at which a period ends (an ejection, a trial, a slow start, a cooldown). MaxValue: none.
    /// </summary>
    internal TimeSpan NextEdge(TimeSpan now)
    {
        var edge = TimeSpan.MaxValue;
        if (Status == EndpointHealthStatus.Ejected && Until is { } until)
            Earlier(until);
        if (Status == EndpointHealthStatus.Trial)
            Earlier(TrialUntil);
        if (Status == EndpointHealthStatus.SlowStart)
            Earlier(Return.Until);
        if (Cooldown is { } cooldown)
        {
            Earlier(cooldown.TrialAt);
            Earlier(cooldown.Until);
        }

        return edge;

        void Earlier(TimeSpan at)
        {
            if (at > now && at < edge)
                edge = at;
        }
    }
}
