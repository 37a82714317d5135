using BenchmarkDotNet.Attributes;
using HaKit.Attempts;
using HaKit.Estimates;
using HaKit.Faults;
using HaKit.Health;
using HaKit.Limits;
using HaKit.Selection;
using Polly;

namespace HaKit.Benchmarks;

/// <summary>Measures one choice among N healthy endpoints with different times and loads, without an attempt on the chosen endpoint.</summary>
[MemoryDiagnoser]
public class SelectionBenchmarks
{
    private const int Picks = 100_000;

    private readonly AttemptHistory _history = new();
    private readonly TimeSpan _now = TimeSpan.FromMinutes(10);
    private PoolSnapshot _snapshot = null!;
    private Selector _selector = null!;

    [Params(3, 16, 1000, 10_000)]
    public int N { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        (_snapshot, _selector) = Pool(N, SelectionPreset.Adaptive, _now, seed: null); // as pools are without a seed
    }

    internal static (PoolSnapshot, Selector) Pool(int count, SelectionPreset preset, TimeSpan now, bool weighted = false, ulong? seed = 1)
    {
        var random = new Random(1);
        var health = new HealthTracker(new HealthOptions(), random);
        var latency = new LatencyEstimate();
        var members = new EndpointState[count];
        for (var i = 0; i < count; i++)
        {
            var endpoint = new PoolEndpoint(new EndpointOptions { Name = $"endpoint-{i}", Weight = weighted ? 1 + i % 5 : 1 });
            var state = new EndpointState(
                endpoint, health.Add(endpoint.Name, FailureDomains.None, TimeSpan.Zero), Limiter.Unlimited, Limiter.Unlimited, ResiliencePipeline.Empty,
                new UsualTimes(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30), 3), latency);
            state.Latency.RecordFirstContent(TimeSpan.FromMilliseconds(random.Next(100, 300)), 0, now);
            for (var calls = random.Next(4); calls > 0; calls--)
                state.RecordStart(0, now);
            if (i % 10 == 0)
                state.Failure.RecordEnd(new Fault(FaultKind.ServerError), now);
            members[i] = state;
        }
        return (new PoolSnapshot(members, 0), new Selector(new SelectionPolicy(new SelectionOptions { Preset = preset }), new Chance(seed)));
    }

    [Benchmark]
    public object? Pick() => _selector.Choose(_snapshot, new SelectionQuery(RequestProfile.Default, _history, _now)).State;

    /// <summary>Two threads choose from the same pool at the same time. The result is the time of one choice on one thread.</summary>
    [Benchmark(OperationsPerInvoke = Picks)]
    public void Pick_by_two_threads()
    {
        var other = new Thread(Many);
        other.Start();
        Many();
        other.Join();

        void Many()
        {
            var history = new AttemptHistory();
            for (var i = 0; i < Picks; i++)
                _selector.Choose(_snapshot, new SelectionQuery(RequestProfile.Default, history, _now));
        }
    }
}

/// <summary>Measures the presets with sixteen endpoints.</summary>
[MemoryDiagnoser]
public class SelectionPresetBenchmarks
{
    private static readonly RequestProfile s_keyed = new() { AffinityKey = "session-4711" };
    private static readonly RequestProfile s_model = new() { Tools = true, InputTokens = 1000 };
    private readonly AttemptHistory _history = new();
    private readonly TimeSpan _now = TimeSpan.FromMinutes(10);
    private PoolSnapshot _snapshot = null!;
    private Selector _selector = null!;

    [ParamsAllValues]
    public SelectionPreset Preset { get; set; }

    [GlobalSetup]
    public void Setup() => (_snapshot, _selector) = SelectionBenchmarks.Pool(16, Preset, _now, weighted: true);

    [Benchmark]
    public object? Pick() => _selector.Choose(_snapshot, new SelectionQuery(RequestProfile.Default, _history, _now)).State;

    [Benchmark]
    public object? Pick_with_requirements() => _selector.Choose(_snapshot, new SelectionQuery(s_model, _history, _now)).State;

    [Benchmark]
    public object? Pick_with_affinity() => _selector.Choose(_snapshot, new SelectionQuery(s_keyed, _history, _now)).State;
}
