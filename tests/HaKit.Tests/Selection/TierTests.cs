using HaKit.Faults;
using HaKit.Health;
using HaKit.Selection;

namespace HaKit.Tests.Selection;

public sealed class TierTests
{
    private const int Picks = 40_000;

    [Theory]
    [InlineData(71, 0.994)]
    [InlineData(50, 0.70)]
    [InlineData(72, 1)]
    public void A_tier_spills_as_its_healthy_capacity_falls(int healthyPercent, double share)
    {
        var bench = Tiers(100, 100);
        Down(bench, 0, 100 - healthyPercent);
        var shares = TierShares(bench);
        shares[0].Should().BeApproximately(share, 0.01);
        shares[1].Should().BeApproximately(1 - share, 0.01);
    }

    [Fact]
    public void Tiers_that_are_too_weak_together_share_by_what_they_can_take()
    {
        var bench = Tiers(20, 20, 20);
        Down(bench, 0, 15);
        Down(bench, 1, 15);
        Down(bench, 2, 16);
        var shares = TierShares(bench);
        shares[0].Should().BeApproximately(0.36, 0.01);
        shares[1].Should().BeApproximately(0.36, 0.01);
        shares[2].Should().BeApproximately(0.28, 0.01);
    }

    [Fact]
    public void A_strict_tier_keeps_everything_until_nobody_is_left()
    {
        var bench = Tiers(new SelectionOptions { StrictTiers = true }, 4, 4);
        Down(bench, 0, 3);
        TierShares(bench)[0].Should().Be(1);
        Down(bench, 0, 4);
        TierShares(bench)[1].Should().Be(1);
    }

    [Fact]
    public void A_full_tier_overflows_into_the_next()
    {
        var bench = new SelectionBench([new() { Name = "a", Limits = new() { MaxConcurrency = 1 } }, new() { Name = "b", Tier = 1 }]);
        bench.Pick().Should().Be("a");
        bench.Load("a", 1);
        bench.Pick().Should().Be("b");
    }

    [Fact]
    public void The_tier_that_an_operator_made_primary_comes_first_and_those_before_it_last()
    {
        var bench = Tiers(1, 1, 1);
        bench.Snapshot = new(bench.Members, firstTier: 1);
        bench.Pick().Should().Be("e1");
        bench.Order("e1", HealthOrder.ForceDown);
        bench.Pick().Should().Be("e2");
        bench.Order("e2", HealthOrder.ForceDown);
        bench.Pick().Should().Be("e0");
    }

    [Fact]
    public void Failback_to_a_lone_primary_follows_its_ramp_instead_of_sending_the_whole_herd_at_once()
    {
        var bench = Tiers(1, 1);
        bench.Order("e0", HealthOrder.ForceDown);
        bench.Pick().Should().Be("e1");
        bench.Order("e0", HealthOrder.BringUp);
        bench.Shares(Picks)["e0"].Should().BeApproximately(0.14, 0.01, "1.4 times the tenth with which it starts");
        bench.Now += TimeSpan.FromSeconds(15);
        bench.Shares(Picks)["e0"].Should().BeApproximately(0.77, 0.01);
        bench.Now += TimeSpan.FromSeconds(15);
        bench.Shares(100)["e0"].Should().Be(1);
    }

    [Fact]
    public void What_may_not_serve_a_request_is_not_capacity_of_its_tier()
    {
        var bench = new SelectionBench([
            new() { Name = "eu", Residency = "eu" }, new() { Name = "us1", Residency = "us" }, new() { Name = "us2", Residency = "us" },
            new() { Name = "standby", Residency = "eu", Tier = 1 }]);
        var eu = new RequestProfile { Residency = "eu" };
        bench.Shares(100, eu)["eu"].Should().Be(1);
        bench.Order("eu", HealthOrder.Drain);
        bench.Shares(100, eu)["standby"].Should().Be(1);
        bench.Shares(Picks)["standby"].Should().BeApproximately(1 - 1.4 * 2 / 3, 0.01);
    }

    private static SelectionBench Tiers(params int[] sizes) => Tiers(new SelectionOptions(), sizes);

    private static SelectionBench Tiers(SelectionOptions options, params int[] sizes)
    {
        var tiers = sizes.SelectMany((size, tier) => Enumerable.Repeat(tier, size)).ToArray();
        return new SelectionBench(SelectionBench.Numbered(tiers.Length, (i, e) => e.Tier = tiers[i]), options);
    }

    private static void Down(SelectionBench bench, int tier, int count)
    {
        foreach (var member in bench.Members.Where(m => m.Endpoint.Tier == tier).Take(count))
            bench.Order(member.Endpoint.Name, HealthOrder.ForceDown);
    }

    private static Dictionary<int, double> TierShares(SelectionBench bench) =>
        bench.Shares(Picks).GroupBy(s => bench[s.Key].Endpoint.Tier).ToDictionary(g => g.Key, g => g.Sum(s => s.Value));
}
