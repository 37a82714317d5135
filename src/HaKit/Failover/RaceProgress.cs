namespace HaKit.Failover;

/// <summary>The state of an <see cref="AttemptRace{TResult, TRaw, TRunner}"/> when it can do nothing more at once.</summary>
internal enum RaceProgress
{
    /// <summary>The call is decided.</summary>
    Decided,

    /// <summary>An attempt is running. Every event sets the call's signal.</summary>
    AttemptUnderWay,

    /// <summary>No attempt is running, and none may be started yet.</summary>
    InQueue,
}
