using System.Collections.Concurrent;
using System.Globalization;
using HaKit.Health;

namespace HaKit.Testing.Tests.Swarm;

/// <summary>
/// Runs random fleets with random faults of their endpoints and of the store between the replicas. One endpoint is always healthy. For all facts of the peers,
/// no call is lost, the healthy endpoint is never ejected, nothing stays in flight, and no replica sends more than one message a second.
/// </summary>
public sealed class FleetSwarmTests(ITestOutputHelper output)
{
    // HAKIT_SWARM_SEEDS sets the number of runs. A usual run has a tenth of it.
    private static int Lives => int.TryParse(Environment.GetEnvironmentVariable("HAKIT_SWARM_SEEDS"), out var seeds) ? seeds : 200;

    [Fact]
    public void No_promise_is_broken_in_the_lives_of_random_fleets()
    {
        var broken = new ConcurrentBag<string>();
        long calls = 0, replicas = 0;
        Parallel.For(1, Lives + 1, new ParallelOptions { CancellationToken = TestContext.Current.CancellationToken }, seed =>
        {
            var life = Live(seed);
            Interlocked.Add(ref calls, life.Calls);
            Interlocked.Add(ref replicas, life.Replicas);
            if (life.Broken.Count > 0)
                broken.Add($"seed {seed}: {life.Story}\n  {string.Join("\n  ", life.Broken)}");
        });
        output.WriteLine($"EVIDENCE swarm of fleets: {Lives} lives, {replicas} replicas, {calls} calls, {broken.Count} broke a promise");
        if (!broken.IsEmpty)
            Assert.Fail($"{broken.Count} of {Lives} lives broke a promise\n{string.Join("\n", broken.Take(3))}");
    }

    [Theory]
    [InlineData(7)]
    [InlineData(23)]
    public void A_life_replays(int seed)
    {
        var (first, second) = (Live(seed), Live(seed));
        (second.Calls, second.Story).Should().Be((first.Calls, first.Story));
        first.Calls.Should().BePositive();
    }

    private static (long Calls, int Replicas, string Story, List<string> Broken) Live(int seed)
    {
        var random = new Random(seed);
        var (count, endpoints) = (random.Next(2, 11), random.Next(2, 5));
        var rate = Pick(random, 0.05, 0.3, 1, 3);
        using var fleet = new Fleet(count, endpoints, seed: seed);
        var story = new List<string> { string.Create(CultureInfo.InvariantCulture, $"{count} replicas, {endpoints} endpoints, {rate} calls/s each") };
        var broken = new List<string>();
        var (calls, well) = (0L, $"e{endpoints - 1}");
        for (var phase = 0; phase < 3; phase++)
        {
            story.Add(Trouble(random, fleet.Store, count));
            for (var faults = random.Next(3); faults > 0; faults--)
                story.Add(Fault(random, fleet, endpoints));
            var result = fleet.Run(Workload.Poisson(rate), TimeSpan.FromSeconds(random.Next(10, 50)));
            calls += result.Calls;
            if (result.Lost > 0)
                broken.Add($"phase {phase}: {result.Lost} of {result.Calls} calls were lost");
        }
        for (var i = 0; i < count; i++)
        {
            var ejected = fleet.Replicas[i].Events.GetEvents<EndpointChanged>().FirstOrDefault(e => e.Endpoint == well && e.After.Status is EndpointHealthStatus.Ejected or EndpointHealthStatus.Trial);
            if (ejected is not null && ejected.Endpoint == well)
                broken.Add($"replica {i} ejected {well}, which is well: {ejected.After.Status}, {ejected.Fault}");
            if (fleet.Replicas[i].Pool.Explain(RequestProfile.Default).Sum(static e => e.InFlight) is > 0 and var left)
                broken.Add($"replica {i} has {left} attempts in flight");
        }
        if (fleet.Store.Messages > count * (fleet.Time.Elapsed.TotalSeconds + 2))
            broken.Add($"{fleet.Store.Messages} messages of {count} replicas in {fleet.Time.Elapsed}");
        return (calls, count, string.Join("; ", story), broken);
    }

    private static string Fault(Random random, Fleet fleet, int endpoints)
    {
        var endpoint = $"e{random.Next(endpoints - 1)}";
        var fault = Pick(random, FakeFault.Refused, FakeFault.Reset, FakeFault.Status(500), FakeFault.Status(503), FakeFault.Hang, FakeFault.Status(401), FakeFault.Status(429).WithHeader("Retry-After", "20"));
        var from = fleet.Time.Elapsed + TimeSpan.FromSeconds(random.Next(20));
        var until = from + TimeSpan.FromSeconds(Pick(random, 1, 5, 20, 60));
        var blind = Pick(random, 1.0, 1.0, 0.5, 0.2);
        var seen = Enumerable.Range(0, fleet.Replicas.Count).Select(_ => random.NextDouble() < blind).ToArray();
        fleet.Fault(endpoint, fault, from, until, i => seen[i]);
        return string.Create(CultureInfo.InvariantCulture, $"{endpoint}: {fault} from {from.TotalSeconds:0} s to {until.TotalSeconds:0} s at {seen.Count(static s => s)} replicas");
    }

    private static string Trouble(Random random, VirtualStore store, int replicas)
    {
        store.Thaw();
        store.Restart();
        store.Partition(static _ => true);
        (store.IsReadOnly, store.Loss, store.Duplication, store.Jitter) = (false, 0, 0, TimeSpan.Zero);
        switch (random.Next(9))
        {
            case 0:
                store.Freeze();
                return "store frozen";
            case 1:
                store.Kill();
                return "store killed";
            case 2:
                store.Wipe();
                return "store wiped";
            case 3:
                store.IsReadOnly = true;
                return "store read-only";
            case 4:
                (store.Loss, store.Duplication, store.Jitter) = (0.3, 0.3, TimeSpan.FromSeconds(2));
                return "store loses and repeats";
            case 5:
                var cut = random.Next(replicas);
                store.Partition(i => i <= cut);
                return $"replicas above {cut} cut off";
            case 6:
                store.JumpClock(TimeSpan.FromSeconds(random.Next(-3600, 3600)));
                return "store's clock jumps";
            default:
                return "store well";
        }
    }

    private static T Pick<T>(Random random, params T[] of) => of[random.Next(of.Length)];
}
