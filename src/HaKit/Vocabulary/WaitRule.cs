namespace HaKit;

/// <summary>
/// The rule by which a call waits, tries again or ends when no endpoint is left that it has not tried. In <see cref="CallDetail.WaitRules"/>, in the exceptions
/// of a pool, on the span of a call and in the counter <c>hakit.waits</c>.
/// </summary>
public enum WaitRule
{
    /// <summary>No rule: the call never had to wait.</summary>
    None,

    /// <summary>It ends: no endpoint has what the request needs.</summary>
    NotCapable,

    /// <summary>It ends: the attempts that <c>Retry:MaxRetryAttempts</c> or <c>Retry:MaxAttemptsPerEndpoint</c> allows are used up.</summary>
    AttemptsUsedUp,

    /// <summary>It ends at once: time does not heal what keeps the endpoints from serving it (a key, a model, a quota, an order of an operator).</summary>
    TimeDoesNotHeal,

    /// <summary>It ends: every endpoint that may serve it comes back after its deadline.</summary>
    BackTooLate,

    /// <summary>It ends: what is left of its deadline is shorter than any answer.</summary>
    NoTimeToAnswer,

    /// <summary>It ends: it may wait no longer (<see cref="RequestProfile.MaxWait"/>).</summary>
    MaxWait,

    /// <summary>It tries again: an endpoint has come back since the call failed on it.</summary>
    CameBack,

    /// <summary>It tries again, or waits for its backoff: the endpoint serves other calls, and the retry budget pays.</summary>
    Retry,

    /// <summary>It waits until the time that an endpoint named (<c>Retry-After</c>) has passed.</summary>
    NamedTime,

    /// <summary>It asks whether an outage is over, or waits until it may: one trial at a time for the whole pool, at the outage's pace.</summary>
    Pace,

    /// <summary>It waits while another call asks whether the outage is over.</summary>
    AnotherAsks,

    /// <summary>It waits for a place: the endpoint is at its limit, or its one trial is under way.</summary>
    Place,

    /// <summary>It waits because the policy for faults says so (<see cref="Failover.FaultAction.Wait"/>).</summary>
    Policy,

    /// <summary>A second attempt was started beside one that is silent for longer than is usual and that it keeps.</summary>
    Silence,
}
