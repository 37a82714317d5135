using HaKit.Faults;
using HaKit.Telemetry;
using Microsoft.Extensions.Logging;

namespace HaKit.Attempts;

/// <summary>Calls the application's callbacks about failed attempts. An exception of a callback is logged, and does not affect the call. Thread-safe.</summary>
internal sealed class AttemptObserver(string pool, Action<AttemptFailure>[] callbacks, ILogger log)
{
    public bool IsEmpty => callbacks.Length == 0;

    public void ReportFailure(string endpoint, Fault fault, int number, TimeSpan duration)
    {
        var failure = new AttemptFailure(pool, endpoint, fault, number, duration);
        foreach (var callback in callbacks)
        {
            try
            {
                callback(failure);
            }
#pragma warning disable CA1031 // An exception of the application's callback must not prevent the completion of the lease.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                PoolLog.CallbackFailed(log, exception, pool, "OnAttemptFailed");
            }
        }
    }
}
