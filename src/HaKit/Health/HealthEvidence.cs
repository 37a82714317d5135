using HaKit.Faults;

namespace HaKit.Health;

/// <summary>The source of a piece of evidence.</summary>
internal enum EvidenceSource
{
    /// <summary>Only time has passed.</summary>
    Time,

    /// <summary>An attempt ended.</summary>
    Traffic,

    /// <summary>A probe ended.</summary>
    Probe,

    /// <summary>An operator gave an order.</summary>
    Order,

    /// <summary>A trial has begun.</summary>
    TrialBegun,

    /// <summary>The running trial is silent for longer than usual. Its attempt goes on, and a late answer still counts.</summary>
    TrialSilent,

    /// <summary>Another endpoint of the same failure domain tests whether the cooldown is over.</summary>
    TrialElsewhere,

    /// <summary>A fault of a shared failure domain was cleared on another endpoint.</summary>
    ClearedElsewhere,

    /// <summary>Another endpoint has served a call that this endpoint refused.</summary>
    ServedElsewhere,

    /// <summary>The endpoint has a new credential.</summary>
    CredentialChanged,

    /// <summary>This process was paused, or could connect to no endpoint. Its recent observations do not count.</summary>
    SelfSuspicion,

    /// <summary>
    /// A caller cancelled an attempt that had been silent for longer than usual. The endpoint becomes suspect, but no failure is counted.
    /// </summary>
    LeftInSilence,

    /// <summary>Other replicas of the application have learned something about the endpoint.</summary>
    Peer,
}

/// <summary>The facts of other replicas about an endpoint.</summary>
internal enum PeerWord
{
    /// <summary>The server named the time after which it may be asked again (<c>Retry-After</c>). This fact only starts a cooldown.</summary>
    Cooldown,

    /// <summary>
    /// Most of the replicas with a recent opinion about the endpoint have ejected it. This replica ejects the endpoint too, for <see
    /// cref="HealthOptions.BreakDuration"/>. After that, this replica's own trial decides whether the endpoint returns.
    /// </summary>
    Ejected,

    /// <summary>Another replica's trial has begun: this replica's trial waits a short time for the result.</summary>
    TrialBegun,

    /// <summary>Another replica's trial failed: this replica's trial comes a little later.</summary>
    TrialFailed,

    /// <summary>Another replica's trial succeeded: this replica's trial may begin now.</summary>
    Recovered,
}

/// <summary>Holds one piece of evidence about an endpoint. It contains all inputs of <see cref="HealthReducer"/>, even the random number for jitter.</summary>
internal readonly record struct HealthEvidence
{
    public required EvidenceSource Source { get; init; }

    /// <summary>Gets the fault; null for success.</summary>
    public Fault? Fault { get; init; }

    /// <summary>Gets, for a probe, the level that it tested.</summary>
    public ProbeLevel Level { get; init; }

    public HealthOrder Order { get; init; }

    /// <summary>Gets, for <see cref="EvidenceSource.Peer"/>, the fact of the other replicas.</summary>
    public PeerWord Word { get; init; }

    /// <summary>Gets whether another replica sent the evidence. Such evidence is not sent to replicas again.</summary>
    public bool IsFromPeer { get; init; }

    /// <summary>
    /// Gets, for an attempt, the epoch in which the attempt began. <see cref="HealthTicket.NoEpoch"/>: the attempt may only start a cooldown. Evidence from
    /// other sources does not use the epoch.
    /// </summary>
    public int Epoch { get; init; }

    /// <summary>Gets when the attempt began.</summary>
    public TimeSpan Began { get; init; }

    /// <summary>Gets, for traffic, whether the attempt is a trial.</summary>
    public bool IsTrial { get; init; }

    /// <summary>
    /// Gets, for the beginning of a trial, whether the trial is made because too few endpoints, or none, can serve. Such a trial may begin before the end of
    /// the ejection.
    /// </summary>
    public bool IsOutage { get; init; }

    /// <summary>Gets whether the fault occurred on another endpoint that shares the broken failure domain.</summary>
    public bool IsShared { get; init; }

    /// <summary>Gets whether a pause of this process explains the fault. The fault then does not count.</summary>
    public bool IsExcused { get; init; }

    /// <summary>
    /// Gets whether this machine's network may be at fault, because the pool can connect to none of its endpoints. A failure that would eject the endpoint then
    /// only makes it suspect.
    /// </summary>
    public bool IsNetworkSuspect { get; init; }

    /// <summary>
    /// Gets, for a probe, whether this one result is enough to eject the endpoint or to bring it back, because a failure detector has made the decision. While
    /// no endpoint can serve, or while calls wait, one success is also enough to bring the endpoint back.
    /// </summary>
    public bool IsDecisive { get; init; }

    /// <summary>
    /// Gets a length of time. For <see cref="EvidenceSource.SelfSuspicion"/>: if the endpoint was ejected within this time before now, the ejection is undone.
    /// For <see cref="PeerWord.Cooldown"/>: the remaining time of the cooldown.
    /// </summary>
    public TimeSpan Length { get; init; }

    /// <summary>
    /// Gets, for a refused key, whether the key has served a call within the last 24 hours, on this endpoint or on another endpoint that uses it.
    /// </summary>
    public bool HasServedLately { get; init; }

    /// <summary>
    /// Gets whether no other endpoint of the pool is admitted. If this endpoint were ejected, no endpoint would serve. For a fact of other replicas (<see
    /// cref="EvidenceSource.Peer"/>), another endpoint counts only if it could serve every request that this endpoint can serve.
    /// </summary>
    public bool IsLast { get; init; }

    /// <summary>
    /// Gets the number of attempts in the sampling window, including this one. 0 if this evidence does not count towards the failure ratio (<see
    /// cref="HealthOptions.FailureRatio"/>).
    /// </summary>
    public int Samples { get; init; }

    /// <summary>Gets how many of <see cref="Samples"/> failed.</summary>
    public int Failures { get; init; }

    /// <summary>Gets how many attempts have ever begun on the endpoint. Null if they are not counted.</summary>
    public long? Begun { get; init; }

    /// <summary>Gets how many other attempts are in flight on the endpoint. 0 if they are not counted.</summary>
    public int InFlight { get; init; }

    /// <summary>
    /// Gets whether the endpoint has served an attempt that began after this one. If so, the silence of this attempt does not show that the endpoint is silent
    /// now.
    /// </summary>
    public bool HasServedLater { get; init; }

    /// <summary>Gets the random number for jitter, uniform in [0, 1).</summary>
    public double Jitter { get; init; }
}

/// <summary>
/// Holds a change of an endpoint's state, with the evidence that caused it. If <paramref name="IsReport"/> is true, the state has not changed; a rule in report
/// mode would have taken the endpoint out.
/// </summary>
internal readonly record struct HealthChange(EndpointHealth Endpoint, HealthState Before, HealthState After, HealthEvidence Evidence, bool IsReport = false);
