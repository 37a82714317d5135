using HaKit.Faults;

namespace HaKit.Health;

/// <summary>The meaning of a fault for health.</summary>
internal static class FaultMeaning
{
    // Above this value a server's number is meaningless, and sums of times must not overflow.
    private static readonly TimeSpan Longest = TimeSpan.FromDays(3650);

    /// <summary>Gets the lowest level that a probe must test before its success disproves the fault.</summary>
    public static ProbeLevel Level(this Fault fault) => fault switch
    {
        { IsConnectClass: true } => ProbeLevel.Reachable,
        { Kind: FaultKind.Unauthorized } => ProbeLevel.Authorized,
        _ => ProbeLevel.Generating,
    };

    /// <summary>
    /// Checks whether the fault lasts until it is cleared. Waiting does not help against such a fault. This applies to an exhausted quota and to a refused key,
    /// unless the server sent a <c>Retry-After</c>.
    /// </summary>
    public static bool IsUntilCleared(this Fault fault) =>
        fault.UntilCleared || (!fault.HasRetryAfter() && fault.Kind is FaultKind.QuotaExhausted or FaultKind.Unauthorized);

    public static bool HasRetryAfter(this Fault fault) => fault.RetryAfter > TimeSpan.Zero;

    /// <summary>Checks whether the server throttled and named no time. The pool then decides how long the cooldown is.</summary>
    public static bool IsOwnThrottle(this Fault fault) => !fault.HasRetryAfter() && !fault.IsUntilCleared() && fault.Blame == FaultBlame.Throttle;

    public static TimeSpan Wait(this Fault fault) => fault.RetryAfter is { } wait && wait < Longest ? wait : Longest;

    /// <summary>Checks whether the application's own breaker in the endpoint's pipeline refused the attempt and named the time of its next try.</summary>
    public static bool IsBreakerWithTime(this Fault fault) => fault.Kind == FaultKind.BreakerOpen && fault.HasRetryAfter();

    /// <summary>Checks whether the fault counts towards the endpoint's ejection.</summary>
    public static bool Counts(this Fault fault) =>
        fault.Blame == FaultBlame.Endpoint && fault.Kind != FaultKind.BreakerOpen && !fault.IsUntilCleared();

    /// <summary>Checks whether a pause of this process could have caused the fault.</summary>
    public static bool MayBeOurPause(this Fault fault) => fault.IsConnectClass || fault.Kind is FaultKind.FirstContentTimeout
        or FaultKind.AttemptTimeout or FaultKind.IdleTimeout or FaultKind.ConnectionReset or FaultKind.PartialResponse;

    /// <summary>Checks whether the attempt was silent until its limit. Attempts that are still running may then be silent too.</summary>
    public static bool IsSilence(this Fault fault) => fault.Kind is FaultKind.FirstContentTimeout or FaultKind.AttemptTimeout or FaultKind.IdleTimeout or FaultKind.ConnectTimeout;
}
