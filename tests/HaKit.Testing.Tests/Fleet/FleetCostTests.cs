using HaKit.Peers;

namespace HaKit.Testing.Tests.Fleets;

/// <summary>
/// Tests the cost of sharing: nothing on the path of a call, and little beside it. The collection runs alone, because listeners of other tests make every call
/// allocate.
/// </summary>
[Collection(nameof(MemoryTests))]
public sealed class FleetCostTests(ITestOutputHelper output)
{
    [Fact(Timeout = 60_000)]
    public Task A_call_of_a_pool_with_a_link_allocates_nothing()
    {
        using var fleet = new Fleet(2);
        fleet.Time.Advance(TimeSpan.FromSeconds(5));
        var pool = fleet.Replicas[0].Pool;
        Call(pool, 2000);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Call(pool, 10_000);
        (GC.GetAllocatedBytesForCurrentThread() - before).Should().BeLessThan(10_000, "less than a byte for each call");
        return Task.CompletedTask;
    }

    [Fact(Timeout = 120_000)]
    public Task Evidence_of_what_two_hundred_replicas_cost_one()
    {
        if (Environment.GetEnvironmentVariable("HAKIT_EVIDENCE") != "1")
            Assert.Skip("Set HAKIT_EVIDENCE=1 for the figures of docs/evidence/fleet.md.");
        using var fleet = new Fleet(1, 10);
        var pool = fleet.Replicas[0].Pool;
        fleet.Store.Wire = new();
        fleet.Run(Workload.Steady(50), TimeSpan.FromSeconds(30));
        var fingerprints = fleet.Store.Wire.ToString().Split('\n').Where(l => l.Contains("\"Opinion\"", StringComparison.Ordinal)).Select(l => l[(l.IndexOf(' ', StringComparison.Ordinal) + 1)..]).ToArray();
        // Twenty messages a second, each with an opinion about every endpoint, as 199 other replicas send them.
        const int Seconds = 60;
        var before = Environment.CpuUsage.TotalTime;
        for (var second = 0; second < Seconds; second++)
        {
            for (var message = 0; message < 20; message++)
            {
                foreach (var identity in fingerprints.TakeLast(10))
                {
                    if (PeerFactFormat.TryRead(System.Text.Encoding.UTF8.GetBytes(identity), out var fact))
                        pool.Learn(fact with { Replica = $"r{second * 20 + message % 200}", Left = fact.Length });
                }
            }

            fleet.Time.Advance(TimeSpan.FromSeconds(1));
        }
        var share = (Environment.CpuUsage.TotalTime - before) / TimeSpan.FromSeconds(Seconds);
        output.WriteLine($"EVIDENCE 200 replicas x 10 endpoints: {share:P2} of a core for one replica (the messages were made from {fingerprints.Length} recorded opinions)");
        return Task.CompletedTask;
    }

    private static void Call(EndpointPool pool, int times)
    {
        for (var i = 0; i < times; i++)
        {
            var call = pool.ExecuteAsync(0, static (_, _, _) => new ValueTask<int>(1));
            if (!call.IsCompletedSuccessfully)
                throw new InvalidOperationException("It is to be served at once.");
            _ = call.Result;
        }
    }
}
