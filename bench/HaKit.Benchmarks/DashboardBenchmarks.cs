using BenchmarkDotNet.Attributes;
using HaKit.AspNetCore;
using HaKit.AspNetCore.Status;
using HaKit.Faults;
using HaKit.Testing;

namespace HaKit.Benchmarks;

/// <summary>
/// Measures the cost of the dashboard for a hundred busy endpoints: the full message for a page that is opened, and the update that an open page gets each
/// second.
/// </summary>
[MemoryDiagnoser, MinColumn]
#pragma warning disable CA1001 // The pool lives as long as the process.
public class DashboardBenchmarks
#pragma warning restore CA1001
{
    private readonly ManualTimeProvider _time = new();
    private readonly StatusFeed _feed;
    private readonly EndpointPool _pool;

    public DashboardBenchmarks()
    {
        var options = new EndpointPoolOptions { Seed = 1, Heartbeat = { Enabled = false } };
        for (var i = 0; i < 100; i++)
        {
            options.Endpoints.Add(new EndpointOptions
            {
                Name = $"gpu-{i:00}",
                Address = $"https://gpu-{i:00}.example.test:8443/v1",
                Tier = i / 80,
                Zone = $"zone-{i % 3}",
                Model = "llama-3.3-70b-instruct",
                Limits = new() { MaxConcurrency = 64, RequestsPerMinute = 6000 },
            });
        }

        var pool = _pool = new EndpointPool("bench", options, new EndpointPoolParts { TimeProvider = _time });
        _feed = new StatusFeed(() => [pool], [], _time, new EndpointPoolPagesOptions());
        _feed.Start();
        for (var step = 0; step < 61; step++)
        {
            for (var call = 0; call < 500; call++)
            {
                _time.Run(() => pool.ExecuteAsync(new RequestProfile { MayRepeat = false }, call, static (attempt, call, _) =>
                {
                    if (call % 50 == 0)
                        attempt.ReportFault(new Fault(FaultKind.ServerError) { StatusCode = 500 });
                    return new ValueTask<int>(call);
                }).AsTask());
            }

            _time.Advance(TimeSpan.FromSeconds(5));
        }
    }

    [Benchmark]
    public int Everything() => _feed.WriteWhole().Length;

    /// <summary>This is computed at most every two seconds; the other two benchmarks show the latest result.</summary>
    [Benchmark]
    public object The_availability_report() => _pool.GetAvailabilityReport();

    [Benchmark]
    public int A_tick() => _feed.Tick().Length;
}
