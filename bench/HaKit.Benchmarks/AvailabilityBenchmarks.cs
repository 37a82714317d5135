using BenchmarkDotNet.Attributes;
using HaKit.Availability;

namespace HaKit.Benchmarks;

/// <summary>Measures the calculations, and the recording of an outcome while calls run.</summary>
[MemoryDiagnoser]
public class AvailabilityBenchmarks
{
    private readonly AvailabilityRatio[] _thousand = [.. Enumerable.Range(0, 1000).Select(i => AvailabilityRatio.FromUnavailability(0.01 + i * 1e-5))];
    private readonly ReliabilityComponent[] _fifty =
        [.. Enumerable.Range(0, 50).Select(i => ReliabilityBlock.Component($"component {i}", AvailabilityRatio.FromUnavailability(0.001 * (i + 1))))];

    private readonly OutcomeCounters _counters = new();
    private TimeSpan _now = TimeSpan.FromDays(1);

    [Benchmark]
    public AvailabilityRatio KofN_500_of_1000() => AvailabilityRatio.KofN(500, _thousand);

    [Benchmark]
    public AvailabilityRatio KofN_990_of_1000() => AvailabilityRatio.KofN(990, _thousand);

    /// <summary>The diagram is built and evaluated again in each operation.</summary>
    [Benchmark]
    public AvailabilityRatio Block_of_50_components()
    {
        var groups = new ReliabilityBlock[10];
        for (var g = 0; g < groups.Length; g++)
            groups[g] = ReliabilityBlock.KofN(3, _fifty.AsSpan(5 * g, 5));
        return ReliabilityBlock.Series(groups).Availability;
    }

    [Benchmark]
    public AvailabilityInterval Both_Clopper_Pearson_bounds_999_of_1000() => Estimate.ClopperPearson(999, 1000);

    [Benchmark]
    public AvailabilityInterval Both_Clopper_Pearson_bounds_of_a_billion() => Estimate.ClopperPearson(999_000_000, 1_000_000_000);

    [Benchmark]
    public void Record_an_outcome() => _counters.Record(_now, true);

    /// <summary>The clock advances by 1 ms for each call, so that buckets begin and expire as well.</summary>
    [Benchmark]
    public void Record_an_outcome_while_time_passes()
    {
        _now += TimeSpan.FromMilliseconds(1);
        _counters.Record(_now, true);
    }

    [Benchmark]
    public OutcomeCount Count_three_days() => _counters.Count(_now, TimeSpan.FromDays(3));
}
