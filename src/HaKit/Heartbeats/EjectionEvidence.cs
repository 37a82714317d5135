using HaKit.Faults;
using HaKit.Health;

namespace HaKit.Heartbeats;

/// <summary>Describes an ejection for a recovery action. Immutable.</summary>
/// <param name="Pool">The pool's name.</param>
/// <param name="Endpoint">The endpoint that was ejected.</param>
/// <param name="Fault">The fault that caused the ejection. Null: not known.</param>
/// <param name="Health">The current health of the endpoint.</param>
/// <param name="At">The time of the ejection, by the wall clock.</param>
public sealed record EjectionEvidence(string Pool, PoolEndpoint Endpoint, Fault? Fault, HealthState Health, DateTimeOffset At);

/// <summary>Sets how often recovery actions run. Not thread-safe; read at start-up and at each reload.</summary>
public sealed class RecoveryOptions
{
    /// <summary>Gets or sets the minimum time between two runs of an action for the same endpoint, from start to start. Default 5 min; more than 0, at most 10
    /// years.</summary>
    public TimeSpan Period { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>Gets or sets the time after which a running action is cancelled and counts as failed. Default 1 min; more than 0, at most a day.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromMinutes(1);

    internal RecoveryOptions Copy() => (RecoveryOptions)MemberwiseClone();

    internal IEnumerable<string> Validate(string path)
    {
        if (SettingRange.FindAboveZero($"{path}:{nameof(Period)}", Period) is { } period)
            yield return period;
        if (SettingRange.FindAboveZero($"{path}:{nameof(Timeout)}", Timeout, SettingRange.LongestOfTimer) is { } timeout)
            yield return timeout;
    }
}
