namespace HaKit;

/// <summary>
/// Names the rule by which a call waits, tries again or ends when no untried endpoint is left. It is in <see cref="CallDetail.WaitRules"/>, in the exceptions
/// of a pool, on the span of a call, and in the counter <c>hakit.waits</c>.
/// </summary>
public enum WaitRule
{
    /// <summary>No rule: the call never had to wait.</summary>
    None,

    /// <summary>The call ends: no endpoint has what the request needs.</summary>
    NotCapable,

    /// <summary>The call ends: the attempts that <c>Retry:MaxRetryAttempts</c> or <c>Retry:MaxAttemptsPerEndpoint</c> allows are used up.</summary>
    AttemptsUsedUp,

    /// <summary>
    /// The call ends at once: the reason that keeps the endpoints from serving it does not heal with time (a key, a model, a quota, an order of an operator).
    /// </summary>
    TimeDoesNotHeal,

    /// <summary>The call ends: every endpoint that may serve it comes back after its deadline.</summary>
    BackTooLate,

    /// <summary>The call ends: the time until its deadline is shorter than any answer takes.</summary>
    NoTimeToAnswer,

    /// <summary>The call ends: it may wait no longer (<see cref="RequestProfile.MaxWait"/>).</summary>
    MaxWait,

    /// <summary>The call tries again: an endpoint has come back since the call failed on it.</summary>
    CameBack,

    /// <summary>The call tries again, or waits for its backoff: the endpoint serves other calls, and the retry budget pays.</summary>
    Retry,

    /// <summary>The call waits until the time that an endpoint named (<c>Retry-After</c>) has passed.</summary>
    NamedTime,

    /// <summary>The call tests whether an outage is over, or waits until it may: one trial at a time for the whole pool, at the outage's pace.</summary>
    Pace,

    /// <summary>The call waits while another call tests whether the outage is over.</summary>
    AnotherAsks,

    /// <summary>The call waits for a place: the endpoint is at its limit, or its one trial is running.</summary>
    Place,

    /// <summary>The call waits because the policy for faults says so (<see cref="Failover.FaultAction.Wait"/>).</summary>
    Policy,

    /// <summary>A second attempt was started beside an unusually silent attempt that the call keeps.</summary>
    Silence,
}
