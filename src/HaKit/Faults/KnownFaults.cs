namespace HaKit.Faults;

/// <summary>Caches the faults that have only a kind.</summary>
internal static class KnownFaults
{
    public static readonly Fault Unknown = new(FaultKind.Unknown);
    public static readonly Fault CallerCancelled = new(FaultKind.CallerCancelled);
    public static readonly Fault DeadlineExceeded = new(FaultKind.DeadlineExceeded);
    public static readonly Fault FirstContentTimeout = new(FaultKind.FirstContentTimeout);
    public static readonly Fault Superseded = new(FaultKind.Superseded);
    public static readonly Fault AttemptTimeout = new(FaultKind.AttemptTimeout);
}
