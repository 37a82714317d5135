using HaKit.Faults;

namespace HaKit.Health;

/// <summary>What a fault means for health.</summary>
internal static class FaultMeaning
{
    // Beyond this a server's number means nothing, and sums of times must not overflow.
    private static readonly TimeSpan Longest = TimeSpan.FromDays(3650);

    /// <summary>The least that a probe must exercise before its success refutes the fault.</summary>
    public static ProbeLevel Level(this Fault fault) => fault switch
    {
        { IsConnectClass: true } => ProbeLevel.Reachable,
        { Kind: FaultKind.Unauthorized } => ProbeLevel.Authorized,
        _ => ProbeLevel.Generating,
    };

    /// <summary>Does waiting not help? An exhausted quota and a refused key stay so unless the server named a time.</summary>
    public static bool IsUntilCleared(this Fault fault) =>
        fault.UntilCleared || (!fault.SaysWhen() && fault.Kind is FaultKind.QuotaExhausted or FaultKind.Unauthorized);

    public static bool SaysWhen(this Fault fault) => fault.RetryAfter > TimeSpan.Zero;

    public static TimeSpan Wait(this Fault fault) => fault.RetryAfter is { } wait && wait < Longest ? wait : Longest;

    /// <summary>A breaker of the user's own inside the endpoint's pipeline refused, and knows when it will ask again.</summary>
    public static bool IsBreakerWithTime(this Fault fault) => fault.Kind == FaultKind.BreakerOpen && fault.SaysWhen();

    /// <summary>Is it a failure of the endpoint, to be counted towards its ejection?</summary>
    public static bool Counts(this Fault fault) =>
        fault.Blame == FaultBlame.Endpoint && fault.Kind != FaultKind.BreakerOpen && !fault.IsUntilCleared();

    /// <summary>Could a pause of our own process have caused it?</summary>
    public static bool MayBeOurPause(this Fault fault) => fault.IsConnectClass || fault.Kind is FaultKind.FirstContentTimeout
        or FaultKind.AttemptTimeout or FaultKind.IdleTimeout or FaultKind.ConnectionReset or FaultKind.PartialResponse;

    /// <summary>Did it take as long as it was given? Then those that are still under way may be as silent.</summary>
    public static bool IsSilence(this Fault fault) => fault.Kind is FaultKind.FirstContentTimeout or FaultKind.AttemptTimeout or FaultKind.IdleTimeout or FaultKind.ConnectTimeout;
}
