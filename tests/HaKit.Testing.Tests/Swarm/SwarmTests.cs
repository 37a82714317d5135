using System.Diagnostics;
using HaKit.Faults;

namespace HaKit.Testing.Tests.Swarm;

/// <summary>
/// Checks the promises with random pools, policies and histories of faults. A violation prints its seed and the shortest history that still shows it.
/// </summary>
public sealed class SwarmTests(ITestOutputHelper output)
{
    private const int Seeds = 2000;

    [Fact]
    public void No_promise_is_broken_in_2000_lives()
    {
        var began = Stopwatch.GetTimestamp();
        var broken = new List<int>();
        var calls = 0L;
        Parallel.ForEach(Chosen, seed =>
        {
            var run = SwarmRun.Of(SwarmCase.Of(seed));
            Interlocked.Add(ref calls, run.Calls.Count);
            if (run.Violations.Count > 0)
            {
                lock (broken)
                    broken.Add(seed);
            }
        });
        output.WriteLine($"EVIDENCE swarm of pools: {Count} lives, {calls} calls, {broken.Count} broke a promise, {Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s");
        broken.Sort();
        if (broken.Count > 0)
            Assert.Fail($"{broken.Count} of {Count} seeds broke a promise: {string.Join(", ", broken.Take(30))}\n\n" + string.Join("\n\n", broken.Take(Shown).Select(seed => Story(Shrink.Of(SwarmCase.Of(seed))))));
    }

    [Theory]
    [InlineData(23)]
    [InlineData(4711)]
    public void A_seed_replays_to_the_byte(int seed)
    {
        var (first, second) = (SwarmRun.Of(SwarmCase.Of(seed), log: true), SwarmRun.Of(SwarmCase.Of(seed), log: true));
        first.Log.Should().Be(second.Log);
        first.Digest.Should().Be(second.Digest);
        first.Log.Length.Should().BeGreaterThan(1000);
    }

    // Runs one or a few seeds by number, to examine them.
    private static IEnumerable<int> Chosen => Environment.GetEnvironmentVariable("HAKIT_SWARM_ONLY")?.Split(',').Select(int.Parse) ?? Enumerable.Range(1, Count);

    private static int Count => int.TryParse(Environment.GetEnvironmentVariable("HAKIT_SWARM_SEEDS"), out var seeds) ? seeds : Seeds;

    private static int Shown => int.TryParse(Environment.GetEnvironmentVariable("HAKIT_SWARM_SHOWN"), out var shown) ? shown : 3;

    private static string Story(SwarmCase shrunk)
    {
        var run = SwarmRun.Of(shrunk, log: Environment.GetEnvironmentVariable("HAKIT_SWARM_LOG") is not null);
        return $"{shrunk}\n  broken: {string.Join("\n  broken: ", run.Violations.Take(3))}\n{run.Log}";
    }
}
