using BenchmarkDotNet.Attributes;
using HaKit.AspNetCore;
using HaKit.AspNetCore.Status;
using HaKit.Faults;
using HaKit.Testing;

namespace HaKit.Benchmarks;

/// <summary>What the dashboard costs for a hundred endpoints that have all been busy: everything, as a page that opens is sent it, and what an open page is sent each second.</summary>
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

    /// <summary>Made at most every other second; both of the others show the latest.</summary>
    [Benchmark]
    public object The_availability_report() => _pool.GetAvailabilityReport();

    [Benchmark]
    public int A_tick() => _feed.Tick().Length;
}
