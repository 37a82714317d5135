namespace HaKit;

/// <summary>
/// The rule by which a call waits, tries again or ends when no untried endpoint is left. <see cref="CallDetail.WaitRules"/>, the exceptions of a pool, the span
/// of a call, and the counter <c>hakit.waits</c> contain it.
/// </summary>
public enum WaitRule
{
    /// <summary>No rule: the call never had to wait.</summary>
    None,

    /// <summary>The call ends, because no endpoint meets the requirements of the request.</summary>
    NotCapable,

    /// <summary>
    /// The call ends: the attempts that <c>Retry:MaxRetryAttempts</c> or <c>Retry:MaxAttemptsPerEndpoint</c> allow are used up. Or the call has failed many times on
    /// endpoints that serve other calls, so its request is probably the reason.
    /// </summary>
    AttemptsUsedUp,

    /// <summary>
    /// The call ends at once, because waiting would not help: the endpoints cannot serve the call because of a key, a model, a quota or an operator's order.
    /// </summary>
    TimeDoesNotHeal,

    /// <summary>The call ends: every endpoint that may serve the call comes back only after the call's deadline.</summary>
    BackTooLate,

    /// <summary>
    /// The call ends: the time until its deadline is too short for an answer. Or the call has waited for a free place and leaves it to the calls behind it, because
    /// its deadline would probably cut the answer short.
    /// </summary>
    NoTimeToAnswer,

    /// <summary>The call ends: its maximum wait has passed (<see cref="RequestProfile.MaxWait"/>).</summary>
    MaxWait,

    /// <summary>The call tries again: an endpoint has come back since the call failed on it.</summary>
    CameBack,

    /// <summary>The call tries again, or waits for its backoff: an endpoint serves other calls, and the retry budget allows the retry.</summary>
    Retry,

    /// <summary>The call waits until the time that an endpoint named (<c>Retry-After</c>) has passed.</summary>
    NamedTime,

    /// <summary>
    /// The call tests whether an outage is over, or waits until it may make this test. The whole pool makes one such trial at a time, with pauses that grow with
    /// the length of the outage.
    /// </summary>
    Pace,

    /// <summary>The call waits while another call tests whether the outage is over.</summary>
    AnotherAsks,

    /// <summary>The call waits for capacity: the endpoint is at its limit, or its only trial is running.</summary>
    Place,

    /// <summary>The call waits because the application's <c>OnFault</c> returned <see cref="Failover.FaultAction.Wait"/>.</summary>
    Policy,

    /// <summary>The call keeps an unusually silent attempt, and has started a second attempt beside it.</summary>
    Silence,
}
