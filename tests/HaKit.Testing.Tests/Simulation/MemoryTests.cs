using static HaKit.Testing.Tests.SimulationTests;

namespace HaKit.Testing.Tests;

/// <summary>This test runs alone, because it reads the memory of the whole process.</summary>
[CollectionDefinition(nameof(MemoryTests), DisableParallelization = true)]
[Collection(nameof(MemoryTests))]
public sealed class MemoryTests(ITestOutputHelper output)
{
    [Fact]
    public void Memory_does_not_grow_with_the_length_of_a_simulation()
    {
        var sizes = new List<long>();
        void Weigh() => sizes.Add(GC.GetTotalMemory(forceFullCollection: true));
        var result = new Simulation().Endpoints(3, ServiceModel.LogNormal(Ms(80), Ms(200)))
            .Fault("e0", FakeFault.Status(503), probability: 0.01)
            .At(S(100), _ => Weigh()).At(S(400), _ => Weigh()).At(S(700), _ => Weigh())
            .Run(Workload.Poisson(100), S(700));
        output.WriteLine($"{string.Join(", ", sizes.Select(s => s / 1024))} KiB after 10,000, 40,000 and {result.Calls} calls");
        // Data that is kept for each call makes every measured span grow. Other work of the process makes only one span grow.
        sizes.Zip(sizes.Skip(1), (before, after) => after - before).Min()
            .Should().BeLessThan(250_000, "30,000 calls came in between, each of which would leave ten bytes or more");
    }
}
