using System.Diagnostics;
using System.Diagnostics.Metrics;
using BenchmarkDotNet.Attributes;
using HaKit.Telemetry;

namespace HaKit.Benchmarks;

/// <summary>
/// Measures the cost of telemetry for a call: without a listener, with a listener for every instrument, and with a listener for every span as well.
/// </summary>
[MemoryDiagnoser, MinColumn]
#pragma warning disable CA1001 // The pool and the listeners live as long as the process.
public class TelemetryBenchmarks
#pragma warning restore CA1001
{
    private readonly EndpointPool _pool = new("bench", Options());
    private readonly List<IDisposable> _listeners = [];
    private double _sum;

    private readonly EndpointTelemetry _endpoint;
    private readonly PoolTelemetry _telemetry;

    public TelemetryBenchmarks()
    {
        _telemetry = new PoolTelemetry(Instruments.ForFactory(null), "looks", TimeProvider.System);
        _endpoint = new EndpointTelemetry(_telemetry, "a", null, null, null);
    }

    [GlobalSetup(Target = nameof(Metrics))]
    public void ListenToMetrics()
    {
        var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Name == "HaKit")
                    listener.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<double>((_, value, _, _) => _sum += value);
        listener.SetMeasurementEventCallback<long>((_, value, _, _) => _sum += value);
        listener.Start();
        _listeners.Add(listener);
    }

    [GlobalCleanup]
    public void ListenNoMore()
    {
        foreach (var listener in _listeners)
            listener.Dispose();
        _listeners.Clear();
    }

    [GlobalSetup(Target = nameof(Metrics_and_spans))]
    public void ListenToEverything()
    {
        ListenToMetrics();
        ListenToSpans((ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded);
    }

    [GlobalSetup(Target = nameof(Metrics_and_a_tenth_of_spans))]
    public void ListenToATenth()
    {
        ListenToMetrics();
        var calls = 0;
        ListenToSpans((ref ActivityCreationOptions<ActivityContext> options) =>
            options.Parent.TraceFlags.HasFlag(ActivityTraceFlags.Recorded) || calls++ % 10 == 0 ? ActivitySamplingResult.AllDataAndRecorded : ActivitySamplingResult.None);
    }

    private void ListenToSpans(SampleActivity<ActivityContext> sample)
    {
        var listener = new ActivityListener { ShouldListenTo = static source => source.Name == "HaKit", Sample = sample };
        ActivitySource.AddActivityListener(listener);
        _listeners.Add(listener);
    }

    [Benchmark(Baseline = true)]
    public ValueTask<int> No_listener() => Call();

    /// <summary>The whole telemetry of a call without a listener.</summary>
    [Benchmark]
    public void Checks_for_listeners()
    {
        var span = _telemetry.BeginCall(isStream: false);
        _endpoint.RecordEnd(span, default, null, 0, null, null);
        _telemetry.RecordEnd(span, default, default, CallOutcome.Served, null);
    }

    [Benchmark]
    public ValueTask<int> Metrics() => Call();

    [Benchmark]
    public ValueTask<int> Metrics_and_a_tenth_of_spans() => Call();

    [Benchmark]
    public ValueTask<int> Metrics_and_spans() => Call();

    private ValueTask<int> Call() => _pool.ExecuteAsync(42, static (_, state, _) => new ValueTask<int>(state));

    private static EndpointPoolOptions Options()
    {
        var options = new EndpointPoolOptions { Seed = 1, Heartbeat = { Enabled = false } };
        foreach (var name in (string[])["a", "b", "c"])
            options.Endpoints.Add(new EndpointOptions { Name = name, Address = "http://127.0.0.1:9/v1" });
        return options;
    }
}
