using BenchmarkDotNet.Attributes;
using HaKit.Testing;
using Polly;
using Polly.CircuitBreaker;
using Polly.Retry;

namespace HaKit.Benchmarks;

/// <summary>
/// Measures calls in virtual time on one thread: the whole pool (three healthy endpoints, no hedging), and Polly's timeout, retry, breaker and timeout alone.
/// Both use the same clock, the same arrivals and the same service times.
/// </summary>
[MemoryDiagnoser]
public class SimulatorBenchmarks
{
    private const int Calls = 100_000;
    private const double PerSecond = 100;

    private static readonly TimeSpan Median = TimeSpan.FromMilliseconds(80);
    private static readonly double Sigma = Math.Log(200 / 80.0) / 2.3263478740408408;

    [Benchmark(Description = "The pool", OperationsPerInvoke = Calls)]
    public long Pool() => new Simulation().Endpoints(3, ServiceModel.LogNormal(Median, TimeSpan.FromMilliseconds(200)))
        .Run(Workload.Poisson(PerSecond), TimeSpan.FromSeconds(Calls / PerSecond)).Succeeded;

    [Benchmark(Baseline = true, Description = "Polly: timeout, retry, breaker, timeout", OperationsPerInvoke = Calls)]
    public long Polly()
    {
        var clock = new ManualTimeProvider();
        clock.ConfineToCurrentThread();
        var random = new Random(1);
        var pipeline = new ResiliencePipelineBuilder { TimeProvider = clock }
            .AddTimeout(TimeSpan.FromSeconds(100))
            .AddRetry(new RetryStrategyOptions())
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions())
            .AddTimeout(TimeSpan.FromSeconds(30))
            .Build();
        var served = 0L;
        var at = 0.0;
        for (var i = 0; i < Calls; i++)
        {
            at += -Math.Log(1 - random.NextDouble()) / PerSecond;
            var by = TimeSpan.FromSeconds(at) - clock.Elapsed;
            clock.Advance(by > TimeSpan.Zero ? by : TimeSpan.Zero);
            _ = CallAsync();
        }
        clock.Advance(TimeSpan.FromSeconds(100));
        return served;

        async Task CallAsync()
        {
            // The call is not cancelled, so that it stays on the thread.
            await pipeline.ExecuteAsync(
                static async (s, _) => await Task.Delay(Median * Math.Exp(Sigma * Normal(s.random)), s.clock, CancellationToken.None), (random, clock));
            served++;
        }
    }

    private static double Normal(Random random) => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
