using HaKit.Faults;
using HaKit.Health;

namespace HaKit.Heartbeats;

/// <summary>What a recovery action is told. Immutable.</summary>
/// <param name="Pool">The pool's name.</param>
/// <param name="Endpoint">The endpoint that was ejected.</param>
/// <param name="Fault">What it was ejected for, as far as known.</param>
/// <param name="Health">Its health now.</param>
/// <param name="At">When, by the wall clock.</param>
public sealed record EjectionEvidence(string Pool, PoolEndpoint Endpoint, Fault? Fault, HealthState Health, DateTimeOffset At);

/// <summary>How often actions run that are to bring an ejected endpoint back. Not thread-safe; read when the pool takes it.</summary>
public sealed class RecoveryOptions
{
    /// <summary>Each action runs at most once in this time for each endpoint. Default 5 min.</summary>
    public TimeSpan Period { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>An action that takes longer is cancelled and has failed. Default 1 min.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromMinutes(1);

    internal RecoveryOptions Copy() => (RecoveryOptions)MemberwiseClone();

    internal IEnumerable<string> Validate(string path)
    {
        if (Period <= TimeSpan.Zero)
            yield return $"{path}:Period is {Period}: more than 0 is needed.";
        if (Timeout <= TimeSpan.Zero || Timeout > TimeSpan.FromDays(1))
            yield return $"{path}:Timeout is {Timeout}: more than 0 and at most a day is needed.";
    }
}
