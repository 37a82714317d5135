using HaKit.Estimates;
using HaKit.Faults;
using HaKit.Health;

namespace HaKit.Heartbeats;

/// <summary>
/// Holds how one endpoint is probed. A reload replaces the whole object. A probe is the application's code, and its properties are read on the threads of timers
/// and of calls. So an exception of a property must not leave this class; the property's default then applies.
/// </summary>
internal sealed record HeartbeatSetup(IProbe Probe, ProbeContext Context, HeartbeatOptions Options)
{
    // A timeout such as Timeout.InfiniteTimeSpan (-1 ms) must not make each heartbeat a miss.
    public TimeSpan LongestWait =>
        Read(Probe, static probe => probe.Timeout, null) is { } own && own > TimeSpan.Zero ? TimeSpan.FromTicks(Math.Min(own.Ticks, TimeSpan.TicksPerDay)) : Options.Timeout;

    public ProbePace Pace => Read(Probe, static probe => probe.Pace, ProbePace.WhenQuiet);

    public ProbeLevel Level => Read(Probe, static probe => probe.Level, ProbeLevel.Reachable);

    /// <summary>Gets the usual time between two probes while the endpoint is in service and answers no calls.</summary>
    public TimeSpan UsualInterval => Pace == ProbePace.Sparingly ? Options.SparingInterval : Options.Interval;

    public Fault Silence { get; } = new(Read(Probe, static probe => probe.Silence, FaultKind.AttemptTimeout));

    public Fault FaultOf(Exception exception)
    {
        if (exception is OperationCanceledException)
            return Silence;
        try
        {
            var evidence = new FaultEvidence { Exception = exception, Dialect = Context.Endpoint.Dialect, Now = Context.Time.GetUtcNow() };
            return Context.Classifier.Classify(in evidence) ?? new Fault(FaultKind.Unknown);
        }
#pragma warning disable CA1031 // A classifier that throws must not end the loop.
        catch
#pragma warning restore CA1031
        {
            return new Fault(FaultKind.Unknown);
        }
    }

    /// <summary>
    /// Checks whether the other setup has the same kind of probe of the same path. The knowledge from earlier answers of the probe then still applies.
    /// </summary>
    public bool HasSameProbe(HeartbeatSetup other) =>
        Probe.GetType() == other.Probe.GetType() && (Probe as HttpProbe)?.Path == (other.Probe as HttpProbe)?.Path;

    private static T Read<T>(IProbe probe, Func<IProbe, T> property, T otherwise)
    {
        try
        {
            return property(probe);
        }
#pragma warning disable CA1031 // A property that throws must not end the timer's thread or a call.
        catch
#pragma warning restore CA1031
        {
            return otherwise;
        }
    }
}
