namespace HaKit.Failover.Waiting;

/// <summary>
/// Holds the next possible events for a call at the endpoints of its pool. <see cref="ProspectReader"/> fills it in one pass over the endpoints; <see
/// cref="WaitDecision"/> uses it. <see cref="TimeSpan.MaxValue"/> means never.
/// </summary>
internal readonly record struct Prospects
{
    /// <summary>Gets the number of able endpoints: they have the capabilities that the request needs.</summary>
    public int Able { get; init; }

    /// <summary>Gets whether the limit on attempts per endpoint allows another attempt on any able endpoint.</summary>
    public bool AnyAllowed { get; init; }

    /// <summary>Gets whether any able endpoint may become available to this call again with time alone.</summary>
    public bool AnyHeals { get; init; }

    /// <summary>Gets whether any able endpoint could still answer before the deadline.</summary>
    public bool AnyCanAnswer { get; init; }

    /// <summary>Gets when the call may go to an endpoint that has come back since the call failed on it. Such an attempt is free.</summary>
    public TimeSpan CameBackAt { get; init; }

    /// <summary>
    /// Gets when the call may repeat its request on an endpoint that serves other calls. The decision adds the backoff, and the attempt takes from the budget.
    /// </summary>
    public TimeSpan RetryAt { get; init; }

    /// <summary>Gets when an endpoint in service that the call has not tried has capacity.</summary>
    public TimeSpan RoomAt { get; init; }

    /// <summary>Gets when any endpoint may get a trial of the outage. <see cref="WaitDecision"/> also waits for the pause between two trials.</summary>
    public TimeSpan TrialAt { get; init; }

    /// <summary>Gets when the endpoint of <see cref="TrialAt"/> last got a request.</summary>
    public TimeSpan AskedAt { get; init; }

    /// <summary>Gets whether an endpoint named the time <see cref="TrialAt"/>.</summary>
    public bool IsTrialTimeNamed { get; init; }

    /// <summary>
    /// Gets whether only this call fails: it has failed many times on endpoints that serve other calls meanwhile and seldom fail. The request is then probably
    /// the reason, and waiting does not help.
    /// </summary>
    public bool FailsAlone { get; init; }

    /// <summary>
    /// Gets whether the end of an attempt in flight may make an able endpoint available again: an attempt that counts against a limit, or a running trial.
    /// </summary>
    public bool MayComeFree { get; init; }
}
