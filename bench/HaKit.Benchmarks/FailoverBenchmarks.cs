using System.Threading.Tasks.Sources;
using BenchmarkDotNet.Attributes;
using HaKit.Recording;
using Polly;
using Polly.CircuitBreaker;
using Polly.Retry;
using Polly.Timeout;

namespace HaKit.Benchmarks;

/// <summary>
/// Compares one call through a pool of three endpoints with Polly's own timeout, retry, breaker and timeout, in one run. Compare the ratios, not the times.
/// </summary>
[MemoryDiagnoser]
#pragma warning disable CA1001 // The pools live as long as the process.
public class FailoverBenchmarks
#pragma warning restore CA1001
{
    private readonly ResiliencePipeline _polly = new ResiliencePipelineBuilder()
        .AddTimeout(TimeSpan.FromSeconds(100))
        .AddRetry(new RetryStrategyOptions())
        .AddCircuitBreaker(new CircuitBreakerStrategyOptions())
        .AddTimeout(TimeSpan.FromSeconds(30))
        .Build();

    private readonly EndpointPool _pool = new("bench", Options());
    private readonly EndpointPool _hedged = new("hedged", Options(o => o.Hedging = new() { Enabled = true, MinimumDelay = TimeSpan.FromSeconds(10) }));
    private readonly EndpointPool _failing = new("failing", Options(o =>
    {
        o.CircuitBreaker.FailuresToEject = o.CircuitBreaker.MinimumThroughput = int.MaxValue;
        o.Endpoints[1].Tier = o.Endpoints[2].Tier = 1;
    }));
    private readonly InvalidOperationException _failure = new("down");
    private readonly Later _later = new();
    private EndpointPool? _recorded;
    private FlightRecorder? _recorder;

    private EndpointPool Recorded => _recorded ??= new("recorded", Options(), new EndpointPoolParts { Recorder = scope => _recorder = new FlightRecorder(Recording(), scope) });

    // The ring has room for all entries of a slice of Comparison, which empties the ring before each slice. Otherwise entries would be dropped, and a dropped
    // entry costs less than a recorded entry.
    private static FlightRecorderOptions Recording() => new()
    {
        Folder = Path.Combine(Path.GetTempPath(), "hakit-bench-recording"),
        Capacity = 1 << 17,
        MaxBytes = 32 * 1024 * 1024,
    };

    /// <summary>Writes the recorded entries, so that there is room for further entries.</summary>
    public void Write_recording() => _recorder?.Flush();

    private static EndpointPoolOptions Options(Action<EndpointPoolOptions>? configure = null)
    {
        var options = new EndpointPoolOptions { Heartbeat = { Enabled = false } };
        foreach (var name in (string[])["a", "b", "c"])
            options.Endpoints.Add(new EndpointOptions { Name = name, Address = "http://127.0.0.1:9/v1" });
        configure?.Invoke(options);
        return options;
    }

    [GlobalSetup(Target = nameof(Pool_hedging_armed))]
    public void Learn()
    {
        for (var i = 0; i < 100; i++)
            Pool_hedging_armed().AsTask().GetAwaiter().GetResult();
    }

    [Benchmark(Baseline = true), BenchmarkCategory("sync")]
    public ValueTask<int> Polly_alone()
    {
        var context = ResilienceContextPool.Shared.Get();
        var task = _polly.ExecuteOutcomeAsync(static (_, state) => Outcome.FromResultAsValueTask(state), context, 42);
        var outcome = task.IsCompletedSuccessfully ? task.Result : throw new InvalidOperationException("It did not complete synchronously.");
        ResilienceContextPool.Shared.Return(context);
        return new(outcome.Result);
    }

    [Benchmark]
    public ValueTask<int> Pool() => _pool.ExecuteAsync(42, static (_, state, _) => new ValueTask<int>(state));

    /// <summary>The same call with a flight recorder. The difference from <see cref="Pool"/> is the cost of recording a call and its attempt.</summary>
    [Benchmark]
    public ValueTask<int> Pool_recorded() => Recorded.ExecuteAsync(42, static (_, state, _) => new ValueTask<int>(state));

    [Benchmark]
    public ValueTask<int> Polly_alone_asynchronous()
    {
        var task = RunPolly();
        _later.Complete();
        return task;
    }

    [Benchmark]
    public ValueTask<int> Pool_asynchronous() => RunPool(_pool);

    [Benchmark]
    public ValueTask<int> Pool_hedging_armed() => RunPool(_hedged);

    private ValueTask<int> RunPool(EndpointPool pool)
    {
        var task = pool.ExecuteAsync(_later, static (_, later, _) => later.Begin());
        _later.Complete();
        return task;
    }

    private async ValueTask<int> RunPolly()
    {
        var context = ResilienceContextPool.Shared.Get();
        var outcome = await _polly.ExecuteOutcomeAsync(static async (_, later) => Outcome.FromResult(await later.Begin().ConfigureAwait(false)), context, _later).ConfigureAwait(false);
        ResilienceContextPool.Shared.Return(context);
        return outcome.Result;
    }

    [Benchmark]
    public ValueTask<int> Pool_failing_over_once() => _failing.ExecuteAsync(_failure, static (attempt, failure, _) =>
    {
        if (attempt.Endpoint.Tier == 1)
            return new ValueTask<int>(42);
        attempt.ReportFault(new Faults.Fault(FaultKind.Overloaded));
        return new ValueTask<int>(0);
    });

    /// <summary>
    /// Completes on request, on the requesting thread, without allocating. So the benchmark measures neither the thread pool nor the machine's load.
    /// </summary>
    private sealed class Later : IValueTaskSource<int>
    {
        private ManualResetValueTaskSourceCore<int> _source;

        public ValueTask<int> Begin()
        {
            _source.Reset();
            return new(this, _source.Version);
        }

        public void Complete() => _source.SetResult(42);

        public int GetResult(short token) => _source.GetResult(token);

        public ValueTaskSourceStatus GetStatus(short token) => _source.GetStatus(token);

        public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
            _source.OnCompleted(continuation, state, token, flags);
    }
}
