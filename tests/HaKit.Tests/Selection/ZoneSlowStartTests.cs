using HaKit.Health;
using HaKit.Selection;

namespace HaKit.Tests.Selection;

/// <summary>Tests that a zone whose endpoints return gets its traffic step by step.</summary>
public sealed class ZoneSlowStartTests
{
    private static SelectionBench Bench(SelectionPreset preset, int near) => new(
        SelectionBench.Numbered(near + 2, (i, e) => (e.Zone, e.Limits) = (i < near ? "z1" : "z2", new() { MaxConcurrency = 100 })),
        new SelectionOptions { Preset = preset, Zone = "z1" });

    private static double NearShare(SelectionBench bench, int near) =>
        bench.Shares(1000).Where(share => int.Parse(share.Key[1..], System.Globalization.CultureInfo.InvariantCulture) < near).Sum(static share => share.Value);

    private static void Restart(SelectionBench bench, int near)
    {
        for (var i = 0; i < near; i++)
        {
            bench.Order($"e{i}", HealthOrder.ForceDown);
            bench.Order($"e{i}", HealthOrder.BringUp);
        }
    }

    [Theory]
    [InlineData(SelectionPreset.Nearest, 1)]
    [InlineData(SelectionPreset.Nearest, 2)]
    [InlineData(SelectionPreset.Nearest, 3)]
    [InlineData(SelectionPreset.Adaptive, 1)]
    [InlineData(SelectionPreset.Adaptive, 2)]
    public void Returning_zone_gets_its_slow_start_share(SelectionPreset preset, int near)
    {
        var bench = Bench(preset, near);
        NearShare(bench, near).Should().Be(1);
        Restart(bench, near);
        NearShare(bench, near).Should().BeLessThan(0.35).And.BeGreaterThan(0.03);
        bench.Now += TimeSpan.FromSeconds(15);
        NearShare(bench, near).Should().BeInRange(0.45, 0.95);
        bench.Now += TimeSpan.FromSeconds(16);
        NearShare(bench, near).Should().Be(1);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Returning_zone_gets_all_calls_while_other_zones_have_no_room_or_are_out(int near)
    {
        var bench = Bench(SelectionPreset.Nearest, near);
        bench.Load($"e{near}", 100);
        bench.Load($"e{near + 1}", 100);
        Restart(bench, near);
        NearShare(bench, near).Should().Be(1);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Zone_without_room_leaves_its_calls_to_other_zones(int near)
    {
        var bench = Bench(SelectionPreset.Nearest, near);
        for (var i = 0; i < near; i++)
            bench.Load($"e{i}", 100);
        NearShare(bench, near).Should().Be(0);
    }
}
