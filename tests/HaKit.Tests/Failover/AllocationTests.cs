using HaKit.Testing;

namespace HaKit.Tests.Failover;

/// <summary>Tests the allocations of a call. The test collection runs alone, because listeners of other tests make every call allocate.</summary>
[CollectionDefinition(nameof(AllocationTests), DisableParallelization = true)]
[Collection(nameof(AllocationTests))]
public sealed class AllocationTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private readonly ManualTimeProvider _time = new();

    [Fact]
    public async Task Success_that_is_synchronous_allocates_nothing()
    {
        await using var pool = TestPool.Create(_time, 3, null);
        Calls(pool, 200);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Calls(pool, 100);
        (GC.GetAllocatedBytesForCurrentThread() - before).Should().Be(0);
    }

    [Fact]
    public async Task A_recorder_adds_nothing_to_it()
    {
        var folder = Directory.CreateTempSubdirectory("hakit-recording-").FullName;
        var options = new HaKit.Recording.FlightRecorderOptions { Folder = folder };
        await using (var pool = TestPool.Create(_time, 3, null, parts => HaKit.Recording.FlightRecorderExtensions.UseFlightRecorder(parts, options)))
        {
            Calls(pool, 200);
            var before = GC.GetAllocatedBytesForCurrentThread();
            Calls(pool, 100);
            (GC.GetAllocatedBytesForCurrentThread() - before).Should().Be(0);
        }
        Directory.Delete(folder, recursive: true);
    }

    private static void Calls(EndpointPool pool, int count)
    {
        for (var i = 0; i < count; i++)
        {
            var call = pool.ExecuteAsync(0, static (_, _, _) => ValueTask.FromResult(1), Ct);
            if (!call.IsCompletedSuccessfully)
                throw new InvalidOperationException("The call did not succeed synchronously.");
        }
    }
}
