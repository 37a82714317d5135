namespace HaKit.Failover.Waiting;

/// <summary>What a call knows of itself when no endpoint is left that it has not tried. Input of <see cref="WaitDecision"/>.</summary>
internal readonly record struct WaitFacts
{
    /// <summary>The time on the pool's clock.</summary>
    public required TimeSpan Now { get; init; }

    /// <summary>When the call's deadline passes.</summary>
    public required TimeSpan Deadline { get; init; }

    /// <summary>Until when it may wait while nothing can serve it.</summary>
    public required TimeSpan MayWaitUntil { get; init; }

    /// <summary>Attempts that count for <see cref="MostAttempts"/>.</summary>
    public required int Attempts { get; init; }

    /// <summary>The hard bound on them; null: none.</summary>
    public required int? MostAttempts { get; init; }

    /// <summary>May it make another retry in ordinary service?</summary>
    public required bool HasRetryLeft { get; init; }

    /// <summary>When the backoff from its last failure ends.</summary>
    public required TimeSpan BackoffEnds { get; init; }

    /// <summary>Can the retry budget pay?</summary>
    public required bool CanPay { get; init; }

    /// <summary>Does the account of the outage have room for an attempt beside the pace? True where no outage is known.</summary>
    public required bool HasRoomBesidePace { get; init; }

    /// <summary>Does it hold the right to ask whether the outage is over, or could it take it now?</summary>
    public required bool MayAsk { get; init; }

    /// <summary>When the outage's pace allows the next trial.</summary>
    public required TimeSpan NextTrialAt { get; init; }
}
