namespace HaKit.Failover.Waiting;

/// <summary>
/// Holds what a call may still expect from the endpoints of its pool. One pass over the endpoints answers all members. <see cref="TimeSpan.MaxValue"/> means
/// never. Input of <see cref="WaitDecision"/>; created by <see cref="ProspectReader"/>.
/// </summary>
internal readonly record struct Prospects
{
    /// <summary>Gets how many endpoints have what the request needs.</summary>
    public int Able { get; init; }

    /// <summary>Gets whether any of these may be tried again, given the limit on attempts per endpoint.</summary>
    public bool AnyAllowed { get; init; }

    /// <summary>Gets whether time alone may make any of these available to this call again.</summary>
    public bool AnyHeals { get; init; }

    /// <summary>Gets whether any of these could still answer within the rest of the deadline.</summary>
    public bool AnyCanAnswer { get; init; }

    /// <summary>Gets when the call may ask an endpoint that has come back since the call failed on it. Such an attempt is free.</summary>
    public TimeSpan CameBackAt { get; init; }

    /// <summary>Gets when the call may repeat its request on an endpoint that serves other calls. The backoff is added, and the budget pays.</summary>
    public TimeSpan RetryAt { get; init; }

    /// <summary>Gets when an endpoint in service that the call has not tried has room.</summary>
    public TimeSpan RoomAt { get; init; }

    /// <summary>Gets when any endpoint may be asked whether the outage is over. The outage's pace is added.</summary>
    public TimeSpan TrialAt { get; init; }

    /// <summary>Gets when the endpoint behind <see cref="TrialAt"/> was last asked.</summary>
    public TimeSpan AskedAt { get; init; }

    /// <summary>Gets whether an endpoint named the time <see cref="TrialAt"/>.</summary>
    public bool IsTrialTimeNamed { get; init; }

    /// <summary>
    /// Gets whether a place may become free at any moment, because an attempt in flight holds it: a place within a limit, or the one trial.
    /// </summary>
    public bool MayComeFree { get; init; }
}
