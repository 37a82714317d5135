namespace HaKit.Failover.Waiting;

/// <summary>
/// What a call may still hope for from the endpoints of its pool: each member is a question that one pass over them answers. <see cref="TimeSpan.MaxValue"/>
/// stands for never. Input of <see cref="WaitDecision"/>; made by <see cref="ProspectReader"/>.
/// </summary>
internal readonly record struct Prospects
{
    /// <summary>How many endpoints have what the request needs?</summary>
    public int Able { get; init; }

    /// <summary>Of those, may any be tried again at all, as far as the bound on attempts per endpoint goes?</summary>
    public bool AnyAllowed { get; init; }

    /// <summary>Of those, is there any that time alone may bring back to this call?</summary>
    public bool AnyHeals { get; init; }

    /// <summary>Of those, could any still answer within what is left of the deadline?</summary>
    public bool AnyCanAnswer { get; init; }

    /// <summary>When may the call ask an endpoint that has come back since the call failed on it? Nothing is to be paid for that.</summary>
    public TimeSpan CameBackAt { get; init; }

    /// <summary>When may it repeat its request on an endpoint that serves other calls? The backoff comes on top, and the budget pays.</summary>
    public TimeSpan RetryAt { get; init; }

    /// <summary>When is there room on an endpoint in service that the call has not tried?</summary>
    public TimeSpan RoomAt { get; init; }

    /// <summary>When may any endpoint be asked whether the outage is over? The outage's pace comes on top.</summary>
    public TimeSpan TrialAt { get; init; }

    /// <summary>When was the endpoint behind <see cref="TrialAt"/> last asked?</summary>
    public TimeSpan AskedAt { get; init; }

    /// <summary>Is <see cref="TrialAt"/> the time that an endpoint named?</summary>
    public bool IsTrialTimeNamed { get; init; }

    /// <summary>May a place come free at any moment, because one is taken by what is in flight: of a limit, or of the one trial?</summary>
    public bool MayComeFree { get; init; }
}
