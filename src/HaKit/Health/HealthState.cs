using HaKit.Faults;

namespace HaKit.Health;

/// <summary>
/// What is known about one endpoint's health at one moment. Immutable; safe to share between threads.
/// All times are on the pool's monotonic clock, as elapsed since its origin.
/// </summary>
public sealed record HealthState
{
    private static readonly TimeSpan s_soon = TimeSpan.FromSeconds(10);

    internal HealthState(TimeSpan since) => (Since, EpochSince) = (since, since);

    /// <summary>Where the endpoint stands.</summary>
    public EndpointHealthStatus Status { get; internal init; }

    /// <summary>When <see cref="Status"/> became what it is.</summary>
    public TimeSpan Since { get; internal init; }

    /// <summary>The fault behind <see cref="Status"/>; <see langword="null"/> when healthy or ordered.</summary>
    public Fault? Cause { get; internal init; }

    /// <summary>When an ejected endpoint may be tried; <see langword="null"/> when it is not ejected.</summary>
    public TimeSpan? Until { get; internal init; }

    /// <summary>When the server wants to be asked again; <see cref="TimeSpan.MaxValue"/> until cleared, <see langword="null"/> when it said nothing. Independent of ejection.</summary>
    public TimeSpan? CooldownUntil => Cooldown?.Until;

    /// <summary>The fault behind <see cref="CooldownUntil"/>.</summary>
    public Fault? CooldownCause => Cooldown?.Cause;

    /// <summary>Ejections not yet forgotten; each doubled the period.</summary>
    public int Ejections { get; internal init; }

    /// <summary>Failures of the endpoint in a row, as far as they count.</summary>
    public int ConsecutiveFailures { get; internal init; }

    /// <summary>Failed probes in a row.</summary>
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

    /// <summary>Calls in a row that it refused and another endpoint then served.</summary>
    internal int Refusals { get; init; }

    /// <summary>Refusals in a row of a key or a quota that lasts until it is cleared.</summary>
    internal int ClearRefusals { get; init; }

    /// <summary>It is ejected because of its refusals: for a short time only.</summary>
    internal bool IsOutForRefusals { get; init; }

    /// <summary>Of <see cref="ConsecutiveFailures"/>, the latest that were failures to connect.</summary>
    internal int ConnectFailures { get; init; }

    /// <summary>Of <see cref="ConsecutiveFailures"/>, the latest that nothing answered: failures to connect and silences.</summary>
    internal int UnansweredFailures { get; init; }

    /// <summary>It would have been ejected, had it not been the last that was admitted.</summary>
    internal bool IsSpared { get; init; }

    /// <summary>How many attempts had begun when the first of <see cref="ConsecutiveFailures"/> was recorded; null if attempts are not counted.</summary>
    internal long? RowFrom { get; init; }

    /// <summary>The least a probe must exercise to refute <see cref="Cause"/>.</summary>
    internal ProbeLevel CauseLevel { get; init; }

    /// <summary>It is returning because a probe found it well, and nothing else.</summary>
    internal bool IsBackByProbe { get; init; }

    /// <summary>Successful probes in a row while ejected.</summary>
    internal int ProbeHits { get; init; }

    /// <summary>Throttles in a row for which the server named no time, and when the latest came.</summary>
    internal int Throttles { get; init; }

    internal TimeSpan? ThrottledAt { get; init; }

    /// <summary>Refusals in a row that named their time, and when the latest came.</summary>
    internal int NamedTimes { get; init; }

    internal TimeSpan? NamedAt { get; init; }

    /// <summary>
    /// Could it not be connected to lately? Either several times in a row, or held, because no other endpoint could be connected to either: then it stays
    /// admitted, because it may be our own network, but nothing can be sent there.
    /// </summary>
    internal bool IsUnreachable => Cause is { IsConnectClass: true }
        && (Status == EndpointHealthStatus.Suspect && (ConsecutiveFailures | ProbeMisses) == 0 || IsInService && (ConnectFailures > 1 || ProbeMisses > 1));

    internal SlowStart Return { get; init; }

    internal TimeSpan TrialUntil { get; init; }

    internal bool IsOutageTrial { get; init; }

    /// <summary>When the ejection that the period stands for was decided; <see langword="null"/> when it is no longer to be taken back.</summary>
    internal TimeSpan? JudgedAt { get; init; }

    /// <summary>Was that ejection a failed trial, and not the end of service?</summary>
    internal bool IsFailedTrial { get; init; }

    /// <summary>When a recovery was last completed: from here ejections are forgotten.</summary>
    internal TimeSpan? RecoveredAt { get; init; }

    /// <summary>When a cooldown was last cleared before its time: older evidence does not bring it back.</summary>
    internal TimeSpan ClearedAt { get; init; } = TimeSpan.MinValue;

    /// <summary>Numbers the stays in service: evidence of an attempt begun in another epoch is a straggler's.</summary>
    internal int Epoch { get; init; }

    internal TimeSpan EpochSince { get; init; }

    /// <summary>When it left service; stays through failed trials.</summary>
    internal TimeSpan OutSince { get; init; }

    /// <summary>Other replicas ejected it, not what this one has seen.</summary>
    internal bool IsByPeers { get; init; }

    /// <summary>Another replica's trial has succeeded since its own latest: no other trial puts off the own one any more.</summary>
    internal bool IsToldBack { get; init; }

    /// <summary>When other replicas ejected it, this one had seen failures too, though too few to eject.</summary>
    internal bool IsDoubted { get; init; }

    /// <summary>When its trial was due before failed trials of other replicas put it off; null when they did not.</summary>
    internal TimeSpan? OwnUntil { get; init; }

    /// <summary>In service as far as we are concerned; a cooldown may still keep traffic away.</summary>
    internal bool IsInService => Status is EndpointHealthStatus.Healthy or EndpointHealthStatus.Suspect or EndpointHealthStatus.SlowStart;

    /// <summary>Would a success change nothing? Then it need not be told to the reducer.</summary>
    internal bool IsClean => Status is EndpointHealthStatus.Healthy or EndpointHealthStatus.SlowStart
        && (ConsecutiveFailures | ProbeMisses | Throttles | Refusals | NamedTimes) == 0;

    internal bool IsCooling(TimeSpan now) => Cooldown is { } cooldown && now < cooldown.Until;

    /// <summary>May it take ordinary traffic?</summary>
    /// <param name="now">The current time on the pool's clock.</param>
    public bool Admits(TimeSpan now) => IsInService && !IsCooling(now);

    /// <summary>May it take one trial: its ejection or the cap of its cooldown is over, and no trial is under way?</summary>
    /// <param name="now">The current time on the pool's clock.</param>
    public bool IsTrialReady(TimeSpan now)
    {
        var cooling = IsCooling(now);
        if (cooling && now < Cooldown!.TrialAt)
            return false;
        return Status == EndpointHealthStatus.Ejected ? now >= Until : cooling && IsInService;
    }

    /// <summary>
    /// May it take one trial while nothing else can serve? Then its ejection's period does not matter, but a server's cooldown, a trial
    /// under way and an operator's order still do.
    /// </summary>
    /// <param name="now">The current time on the pool's clock.</param>
    public bool IsTrialAllowedInOutage(TimeSpan now) => IsTrialReady(now) || (Status == EndpointHealthStatus.Ejected && !IsCooling(now));

    /// <summary>
    /// When its cooldown lets a call ask it. What lasts until it is cleared is waited for only if its trial is due soon: a key that has served lately may
    /// work again in seconds, a wrong one never does.
    /// </summary>
    internal TimeSpan AskableAt(TimeSpan now)
    {
        if (Cooldown is not { } cooldown)
            return now;
        return cooldown.IsUntilCleared && cooldown.TrialAt - now <= s_soon ? cooldown.TrialAt : cooldown.Until;
    }

    /// <summary>The factor on its weight, above 0 and at most 1: grows in a straight line while it returns from an ejection or a cooldown.</summary>
    /// <param name="now">The current time on the pool's clock.</param>
    public double SlowStartShare(TimeSpan now)
    {
        if (IsInService && Cooldown is { } cooldown && now >= cooldown.Until)
            return (Status == EndpointHealthStatus.SlowStart ? cooldown.Return.NotBefore(Return.Until) : cooldown.Return).Factor(now);
        return Status == EndpointHealthStatus.SlowStart ? Return.Factor(now) : 1;
    }

    /// <summary>The next instant after <paramref name="now"/> at which time alone changes what may be sent.</summary>
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
