using HaKit.Faults;

namespace HaKit.Attempts;

/// <summary>
/// Records attempts and probes as they end. The recorder is called on the path of a call: it must not allocate, wait or throw. Its implementation is the flight recorder,
/// in a room above, which this interface keeps unknown here.
/// </summary>
internal interface IAttemptRecorder
{
    /// <summary>Records an attempt that has ended.</summary>
    void RecordAttempt(Lease lease, Fault? fault, TimeSpan now);

    /// <summary>Records a probe that has ended.</summary>
    void RecordProbe(EndpointState member, ProbeLevel level, Fault? fault, TimeSpan asked, TimeSpan now);
}
