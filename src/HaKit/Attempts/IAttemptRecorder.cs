using HaKit.Faults;

namespace HaKit.Attempts;

/// <summary>
/// Records attempts and probes when they end. A call runs the recorder on its own thread, so the recorder must not allocate, wait or throw. The flight recorder
/// implements it. The recorder is an interface here, because this namespace must not depend on the namespace of the flight recorder.
/// </summary>
internal interface IAttemptRecorder
{
    /// <summary>Records an attempt that has ended.</summary>
    void RecordAttempt(Lease lease, Fault? fault, TimeSpan now);

    /// <summary>Records a probe that has ended.</summary>
    void RecordProbe(EndpointState member, ProbeLevel level, Fault? fault, TimeSpan asked, TimeSpan now);
}
