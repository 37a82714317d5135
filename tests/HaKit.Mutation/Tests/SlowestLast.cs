using Xunit.Sdk;
using Xunit.v3;

[assembly: TestCollectionOrderer(typeof(HaKit.Mutation.SlowestLast))]

namespace HaKit.Mutation;

/// <summary>Runs the slow tests last, because the other tests find most mutants in the first second.</summary>
public sealed class SlowestLast : ITestCollectionOrderer
{
    private static readonly string[] Slow =
    [
        "AffinityTests", "TierTests", "SelectorContractTests",
        "HealthPropertyTests", "FaultFuzzTests",
        "OutageTests", "StreamContractTests", "RandomScheduleTests", "EndpointPoolExecuteTests",
        "ConcurrentScheduleTests", "SlidingWindowScheduleTests", "WaitQueueTests",
    ];

    public IReadOnlyCollection<TTestCollection> OrderTestCollections<TTestCollection>(IReadOnlyCollection<TTestCollection> testCollections)
        where TTestCollection : ITestCollection =>
        [.. testCollections.OrderBy(collection => Slow.Any(name => collection.TestCollectionDisplayName.Contains('.' + name, StringComparison.Ordinal)))];
}
