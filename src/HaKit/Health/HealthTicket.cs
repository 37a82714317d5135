namespace HaKit.Health;

/// <summary>The mode in which an attempt begins.</summary>
internal enum BeginMode
{
    /// <summary>Ordinary traffic.</summary>
    Normal,

    /// <summary>The only trial, after the end of an ejection or at the time at which a cooldown allows a trial.</summary>
    Trial,

    /// <summary>The only trial while no endpoint can serve. The end of the ejection does not matter, and a failure does not double the next ejection.</summary>
    OutageTrial,

    /// <summary>An attempt of the fail-open rule, because too small a share of the pool is admitted.</summary>
    FailOpen,
}

/// <summary>Identifies an attempt when it reports its evidence. Late evidence can thus be recognised, and has no effect.</summary>
internal readonly struct HealthTicket(int epoch, TimeSpan began, bool isTrial)
{
    /// <summary>A number that no state has as its epoch. The evidence of an attempt with this number may only start a cooldown.</summary>
    public const int NoEpoch = -1;

    public int Epoch { get; } = epoch;

    public TimeSpan Began { get; } = began;

    public bool IsTrial { get; } = isTrial;
}
