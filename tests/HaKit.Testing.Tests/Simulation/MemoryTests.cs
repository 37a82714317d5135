using static HaKit.Testing.Tests.SimulationTests;

namespace HaKit.Testing.Tests;

/// <summary>Alone, because it looks at the memory of the whole process.</summary>
[CollectionDefinition(nameof(MemoryTests), DisableParallelization = true)]
[Collection(nameof(MemoryTests))]
public sealed class MemoryTests(ITestOutputHelper output)
{
    [Fact]
    public void Memory_does_not_grow_with_the_length_of_a_simulation()
    {
        long early = 0, late = 0;
        var result = new Simulation().Endpoints(3, ServiceModel.LogNormal(Ms(80), Ms(200)))
            .Fault("e0", FakeFault.Status(503), probability: 0.01)
            .At(S(100), _ => early = GC.GetTotalMemory(forceFullCollection: true))
            .At(S(700), _ => late = GC.GetTotalMemory(forceFullCollection: true))
            .Run(Workload.Poisson(100), S(700));
        output.WriteLine($"{early / 1024} KiB after 10,000 calls, {late / 1024} KiB after {result.Calls}");
        (late - early).Should().BeLessThan(500_000, "60,000 calls came in between, each of which would leave ten bytes or more");
    }
}
