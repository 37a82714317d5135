namespace HaKit.Failover.Waiting;

/// <summary>Holds the facts about a call when no untried endpoint is left. Input of <see cref="WaitDecision"/>.</summary>
internal readonly record struct WaitFacts
{
    /// <summary>Gets the current time on the pool's clock.</summary>
    public required TimeSpan Now { get; init; }

    /// <summary>Gets the call's deadline.</summary>
    public required TimeSpan Deadline { get; init; }

    /// <summary>Gets until when the call may wait while no endpoint can serve it.</summary>
    public required TimeSpan MayWaitUntil { get; init; }

    /// <summary>Gets the number of attempts that count for <see cref="MostAttempts"/>.</summary>
    public required int Attempts { get; init; }

    /// <summary>Gets the hard limit on the attempts. Null: none.</summary>
    public required int? MostAttempts { get; init; }

    /// <summary>Gets whether the call may make another retry in ordinary service.</summary>
    public required bool HasRetryLeft { get; init; }

    /// <summary>Gets when the backoff from the last failure ends.</summary>
    public required TimeSpan BackoffEnds { get; init; }

    /// <summary>Gets whether the retry budget can pay.</summary>
    public required bool CanPay { get; init; }

    /// <summary>Gets whether the outage's limit on repeats allows an attempt that is not a trial. True if no outage is known.</summary>
    public required bool HasRoomBesidePace { get; init; }

    /// <summary>Gets whether the call holds the right to make a trial of the outage, or could take it now.</summary>
    public required bool MayAsk { get; init; }

    /// <summary>Gets when the pause after the latest trial of the outage is over (<see cref="OutagePace.NextTrialAt"/>).</summary>
    public required TimeSpan NextTrialAt { get; init; }
}
