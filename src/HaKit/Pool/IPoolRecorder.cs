using HaKit.Attempts;
using HaKit.Failover;
using HaKit.Health;
using HaKit.Telemetry;
using Microsoft.Extensions.Logging;

namespace HaKit.Pool;

/// <summary>Records the attempts, probes, calls, health changes and options of a pool.</summary>
internal interface IPoolRecorder : IAttemptRecorder, IDisposable
{
    /// <summary>
    /// Starts to write. The pool calls it when the pool is complete. A recorder that was never started writes nothing, not even when it is disposed.
    /// </summary>
    void Start();

    /// <summary>Records a call that has ended.</summary>
    void RecordCall(FailoverCall call, CallOutcome outcome, string? error, TimeSpan ended);

    /// <summary>Records that an endpoint's health has changed.</summary>
    void RecordChange(in HealthChange change, TimeSpan now);

    /// <summary>Records the options that apply from now on.</summary>
    void UseOptions(EndpointPoolOptions options);
}

/// <summary>Holds the data of a pool that its recorder needs.</summary>
internal sealed record RecorderScope(string Pool, PoolClock Clock, EndpointPoolOptions Options, ILogger Log);
