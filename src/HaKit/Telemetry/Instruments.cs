using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace HaKit.Telemetry;

/// <summary>
/// Contains all instruments of the meter <c>HaKit</c>, and the activity source <c>HaKit</c>. There is one set for each meter factory (so one for each
/// container), and one set for pools without a container. docs/telemetry.md lists the instruments, and a test compares the list. Thread-safe.
/// </summary>
internal sealed class Instruments
{
    public const string Name = "HaKit";

    // Buckets for the durations of language models, from a cached token to the longest answers. The default buckets end at ten seconds.
    private static readonly InstrumentAdvice<double> Seconds = new()
    {
        HistogramBucketBoundaries = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160],
    };

    private static readonly ConditionalWeakTable<IMeterFactory, Instruments> PerFactory = [];
    private static readonly Lazy<Instruments> Shared = new(static () => new Instruments(new Meter(Name, Version)));

    private readonly Lock _gate = new();
    private WeakReference<GaugeSource>[] _sources = [];

    private Instruments(Meter meter)
    {
        CallDuration = meter.CreateHistogram("hakit.call.duration", "s", "The time from the beginning of a call to its answer, or to the first content of a stream.", null, Seconds);
        AttemptDuration = meter.CreateHistogram("hakit.attempt.duration", "s", "The time from the beginning of an attempt to its end. The end of a stream is its last item.", null, Seconds);
        FirstContent = meter.CreateHistogram("hakit.attempt.time_to_first_content", "s", "The time from the beginning of an attempt to the first content of its stream.", null, Seconds);
        QueueWait = meter.CreateHistogram("hakit.queue.wait", "s", "How long a call waited without an attempt in flight. Calls that did not wait are not recorded.", null, Seconds);
        HeartbeatDuration = meter.CreateHistogram("hakit.heartbeat.duration", "s", "The time from a heartbeat to its answer or its timeout.", null, Seconds);
        Failovers = meter.CreateCounter<long>("hakit.failovers", "{failover}", "Attempts on another endpoint after a failure.");
        Retries = meter.CreateCounter<long>("hakit.retries", "{retry}", "Attempts on an endpoint that the same call had tried before.");
        SavedCalls = meter.CreateCounter<long>("hakit.calls.saved", "{call}", "Calls that were served although at least one of their attempts had failed.");
        Hedges = meter.CreateCounter<long>("hakit.hedges", "{hedge}", "Second attempts that started in parallel with a slow attempt.");
        Tokens = meter.CreateCounter<long>("hakit.tokens", "{token}", "Tokens that answers reported.");
        Waits = meter.CreateCounter<long>("hakit.waits", "{call}", "Calls to which a waiting rule applied after they had tried every endpoint.");
        Continuations = meter.CreateCounter<long>("hakit.continuations", "{continuation}", "Cut answers that another endpoint was asked to continue.");
        Ejections = meter.CreateCounter<long>("hakit.endpoint.ejections", "{ejection}", "Ejections because of failures of the endpoint.");
        Strategies = meter.CreateCounter<long>("hakit.polly.events", "{event}", "Events of your own Polly strategies.");
        foreach (var gauge in GaugeTable.All)
            meter.CreateObservableGauge(gauge.Name, () => Measure(gauge.Gauge), gauge.Unit, gauge.Description);
    }

    public static ActivitySource Source { get; } = new(Name, Version);

    public Histogram<double> CallDuration { get; }

    public Histogram<double> AttemptDuration { get; }

    public Histogram<double> FirstContent { get; }

    public Histogram<double> QueueWait { get; }

    public Histogram<double> HeartbeatDuration { get; }

    public Counter<long> Failovers { get; }

    public Counter<long> Retries { get; }

    public Counter<long> SavedCalls { get; }

    public Counter<long> Hedges { get; }

    public Counter<long> Tokens { get; }

    public Counter<long> Ejections { get; }

    public Counter<long> Waits { get; }

    public Counter<long> Continuations { get; }

    public Counter<long> Strategies { get; }

    // The part after the plus sign is the commit, which is left out.
    private static string? Version => typeof(Instruments).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0];

    /// <summary>Gets the instruments of the factory. Null: the instruments of pools without a container.</summary>
    public static Instruments ForFactory(IMeterFactory? factory) =>
        factory is null ? Shared.Value : PerFactory.GetValue(factory, static f => new Instruments(f.Create(new MeterOptions(Name) { Version = Version })));

    /// <summary>Adds the gauges of a pool. The gauges are read until the returned object is disposed or collected by the garbage collector.</summary>
    public GaugeSource Add(Action<Gauge, List<Measurement<double>>> measure)
    {
        var source = new GaugeSource(this, measure);
        lock (_gate)
            _sources = [.. _sources.Where(s => s.TryGetTarget(out _)), new WeakReference<GaugeSource>(source)];
        return source;
    }

    public void Remove(GaugeSource source)
    {
        lock (_gate)
            _sources = [.. _sources.Where(s => s.TryGetTarget(out var other) && other != source)];
    }

    private List<Measurement<double>> Measure(Gauge gauge)
    {
        var measurements = new List<Measurement<double>>();
        foreach (var reference in Volatile.Read(ref _sources))
        {
            if (reference.TryGetTarget(out var source))
                source.Measure(gauge, measurements);
        }

        return measurements;
    }
}

/// <summary>Holds the gauges of one pool. They are read as long as the owner keeps this object. Thread-safe.</summary>
internal sealed class GaugeSource(Instruments instruments, Action<Gauge, List<Measurement<double>>> measure) : IDisposable
{
    public void Measure(Gauge gauge, List<Measurement<double>> into) => measure(gauge, into);

    public void Dispose() => instruments.Remove(this);
}
