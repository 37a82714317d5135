using HaKit.Faults;

namespace HaKit.Health;

/// <summary>The source of the evidence.</summary>
internal enum EvidenceSource
{
    /// <summary>Only time has passed.</summary>
    Time,

    /// <summary>An attempt ended.</summary>
    Traffic,

    /// <summary>A probe ended.</summary>
    Probe,

    /// <summary>An operator ordered.</summary>
    Order,

    /// <summary>A trial takes the slot.</summary>
    TrialBegun,

    /// <summary>Another endpoint of the same domain asks whether the cooldown is over.</summary>
    TrialElsewhere,

    /// <summary>What this endpoint shares with another was cleared there.</summary>
    ClearedElsewhere,

    /// <summary>Another endpoint has served a call that this one refused.</summary>
    Refuted,

    /// <summary>The endpoint has another credential now.</summary>
    CredentialChanged,

    /// <summary>Our own process was paused, or could connect to no endpoint: its recent observations do not count.</summary>
    SelfSuspicion,

    /// <summary>A caller gave up an attempt whose silence was unusual. Makes the endpoint suspect, and counts for nothing.</summary>
    LeftInSilence,

    /// <summary>Other replicas of the application have learned something about it.</summary>
    Peer,
}

/// <summary>What other replicas say about an endpoint.</summary>
internal enum PeerWord
{
    /// <summary>The server named a time to come back. It only cools.</summary>
    Cooldown,

    /// <summary>Most replicas with a fresh opinion have ejected it: out for the base ejection, then a trial of our own decides.</summary>
    Ejected,

    /// <summary>Another replica's trial has begun: the trial of our own waits a little for its outcome.</summary>
    TrialBegun,

    /// <summary>Another replica's trial failed: the trial of our own comes a little later.</summary>
    TrialFailed,

    /// <summary>Another replica's trial succeeded: the trial of our own may begin now.</summary>
    Recovered,
}

/// <summary>One thing that was learned about an endpoint. The reducer needs nothing else, not even chance: jitter comes along.</summary>
internal readonly record struct HealthEvidence
{
    public required EvidenceSource Source { get; init; }

    /// <summary>What went wrong; <see langword="null"/> for success.</summary>
    public Fault? Fault { get; init; }

    /// <summary>For probes: what was exercised.</summary>
    public ProbeLevel Level { get; init; }

    public HealthOrder Order { get; init; }

    /// <summary>For <see cref="EvidenceSource.Peer"/>: what other replicas say.</summary>
    public PeerWord Word { get; init; }

    /// <summary>Another replica passed it on, so it is not passed on again.</summary>
    public bool IsFromPeer { get; init; }

    /// <summary>The epoch in which the attempt began; <see cref="HealthTicket.NoEpoch"/> when it may only tell of cooldowns.</summary>
    public int Epoch { get; init; }

    /// <summary>When the attempt began.</summary>
    public TimeSpan Began { get; init; }

    /// <summary>For traffic: is it the trial's own? For a trial's begin: does it ignore the period because nothing else can serve?</summary>
    public bool IsTrial { get; init; }

    public bool IsOutage { get; init; }

    /// <summary>Seen on another endpoint with which this one shares the broken domain.</summary>
    public bool IsShared { get; init; }

    /// <summary>Explained by a pause of our own process: void.</summary>
    public bool IsHeld { get; init; }

    /// <summary>Connecting fails everywhere: it counts, but the verdict is postponed until a connection succeeds.</summary>
    public bool IsDoubtful { get; init; }

    /// <summary>For probes: a detector has already decided, so this one counts as many as are needed.</summary>
    public bool IsDecisive { get; init; }

    /// <summary>For self-suspicion: how far back what was seen does not count.</summary>
    public TimeSpan Length { get; init; }

    /// <summary>For a refused key: has it served within 24 hours, here or on another endpoint that uses it?</summary>
    public bool HasServedLately { get; init; }

    /// <summary>No other endpoint of the pool is admitted: ejecting this one as well would leave no endpoint that serves.</summary>
    public bool IsLast { get; init; }

    /// <summary>Attempts and failures in the sampling window, this one included; 0 where the ratio does not apply.</summary>
    public int Samples { get; init; }

    public int Failures { get; init; }

    /// <summary>How many attempts have ever begun on the endpoint; null where they are not counted.</summary>
    public long? Begun { get; init; }

    /// <summary>How many attempts are under way on the endpoint; 0 where they are not counted.</summary>
    public int InFlight { get; init; }

    /// <summary>Has the endpoint served an attempt that began later? Then a silence is no sign that the endpoint is silent now.</summary>
    public bool HasServedLater { get; init; }

    /// <summary>Uniform in [0, 1).</summary>
    public double Jitter { get; init; }
}

/// <summary>A change of an endpoint's state, with what caused it; or, if it is a report, no change: a rule that only reports would have taken the endpoint out.</summary>
internal readonly record struct HealthChange(EndpointHealth Endpoint, HealthState Before, HealthState After, HealthEvidence Evidence, bool IsReport = false);
