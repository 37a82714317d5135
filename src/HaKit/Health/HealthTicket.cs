namespace HaKit.Health;

/// <summary>The mode in which an attempt asks to begin.</summary>
internal enum BeginMode
{
    /// <summary>Ordinary traffic.</summary>
    Normal,

    /// <summary>The one trial after the period of an ejection or the cap of a cooldown.</summary>
    Trial,

    /// <summary>The one trial while no endpoint can serve. The ejection's period does not matter, and a failure does not double it.</summary>
    OutageTrial,

    /// <summary>An attempt because too little of the pool is admitted.</summary>
    FailOpen,
}

/// <summary>Identifies an attempt when it reports its evidence, so that late evidence decides nothing.</summary>
internal readonly struct HealthTicket(int epoch, TimeSpan began, bool isTrial)
{
    /// <summary>The epoch of no state: evidence with it may only start a cooldown.</summary>
    public const int NoEpoch = -1;

    public int Epoch { get; } = epoch;

    public TimeSpan Began { get; } = began;

    public bool IsTrial { get; } = isTrial;
}
