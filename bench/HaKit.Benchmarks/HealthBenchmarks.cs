using BenchmarkDotNet.Attributes;
using HaKit.Estimates;
using HaKit.Faults;
using HaKit.Health;

namespace HaKit.Benchmarks;

/// <summary>Measures the cost of the health tracker for every attempt, and the cost of a failure.</summary>
[MemoryDiagnoser]
public class HealthBenchmarks
{
    private static readonly Fault ServerError = new(FaultKind.ServerError);
    private static readonly Fault Cancelled = new(FaultKind.CallerCancelled);

    private readonly TimeSpan _now = TimeSpan.FromHours(1);
    private readonly LearnedTimeout _timeout = new(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30));
    private HealthTracker _tracker = null!;
    private EndpointHealth _endpoint = null!;
    private int _next;

    [GlobalSetup]
    public void Setup()
    {
        _tracker = new HealthTracker(new HealthOptions { FailuresToEject = int.MaxValue, FailureRatio = 1, MinimumThroughput = int.MaxValue }, new Random(1));
        _endpoint = _tracker.Add("a", FailureDomains.None, _now);
        _endpoint.TryBegin(BeginMode.Normal, _now, out var ticket);
        _endpoint.Complete(ticket, null, _now);
    }

    [Benchmark(Baseline = true)]
    public bool Begin_and_succeed()
    {
        var admitted = _endpoint.TryBegin(BeginMode.Normal, _now, out var ticket);
        _endpoint.RecordFirstContent(ticket, _now);
        _endpoint.Complete(ticket, null, _now);
        return admitted;
    }

    [Benchmark]
    public bool Begin_and_be_cancelled_by_the_caller()
    {
        var admitted = _endpoint.TryBegin(BeginMode.Normal, _now, out var ticket);
        _endpoint.Complete(ticket, Cancelled, _now);
        return admitted;
    }

    [Benchmark]
    public bool Fail_and_then_succeed()
    {
        _endpoint.TryBegin(BeginMode.Normal, _now, out var first);
        _endpoint.Complete(first, ServerError, _now);
        var admitted = _endpoint.TryBegin(BeginMode.Normal, _now, out var second);
        _endpoint.Complete(second, null, _now);
        return admitted;
    }

    [Benchmark]
    public bool Nothing_is_due() => _tracker.NextChange <= _now;

    [Benchmark]
    public void Record_a_time() => _timeout.Record(TimeSpan.FromMilliseconds(200 + (_next++ & 255)));

    [Benchmark]
    public TimeSpan Read_the_learned_timeout() => _timeout.Current;
}
