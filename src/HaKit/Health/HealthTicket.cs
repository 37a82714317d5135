namespace HaKit.Health;

/// <summary>In what role an attempt asks to begin.</summary>
internal enum BeginMode
{
    /// <summary>As ordinary traffic.</summary>
    Normal,

    /// <summary>As the one trial after an ejection's period or a cooldown's cap.</summary>
    Trial,

    /// <summary>As the one trial while nothing can serve: the ejection's period does not matter, and its failure does not double it.</summary>
    OutageTrial,

    /// <summary>Because too little of the pool is admitted.</summary>
    FailOpen,
}

/// <summary>What an attempt keeps to report with: it fences its evidence, so that a straggler decides nothing.</summary>
internal readonly struct HealthTicket(int epoch, TimeSpan began, bool isTrial)
{
    /// <summary>No state's epoch: evidence with it never decides anything but a cooldown.</summary>
    public const int NoEpoch = -1;

    public int Epoch { get; } = epoch;

    public TimeSpan Began { get; } = began;

    public bool IsTrial { get; } = isTrial;
}
