using HaKit.Faults;
using HaKit.Health;
using HaKit.Selection;

namespace HaKit.Tests.Selection;

public sealed class AffinityTests
{
    private const int Keys = 100_000;

    private static RequestProfile Keyed(int key) => new() { AffinityKey = $"session-{key}" };

    [Fact]
    public void Losing_one_of_ten_moves_only_its_own_keys()
    {
        var bench = new SelectionBench(SelectionBench.Numbered(10), new SelectionOptions { Preset = SelectionPreset.Sticky });
        var before = Homes(bench);
        bench.Remove("e3");
        var after = Homes(bench);
        before.Zip(after).Where(p => p.First != "e3").Should().OnlyContain(p => p.First == p.Second);
        before.Zip(after).Count(p => p.First != p.Second).Should().BeLessThanOrEqualTo((int)(Keys * (0.1 + 0.01)));
        (before.CountBy(h => h).Max(c => c.Value) / (Keys / 10.0)).Should().BeLessThanOrEqualTo(1.05);
    }

    [Fact]
    public void Keys_are_spread_by_weight()
    {
        var bench = new SelectionBench("abc", SelectionPreset.Sticky, 1, 5, 3, 2);
        var homes = Homes(bench).CountBy(h => h).ToDictionary(c => c.Key, c => c.Value / (double)Keys);
        homes["a"].Should().BeApproximately(0.5, 0.01);
        homes["b"].Should().BeApproximately(0.3, 0.01);
        homes["c"].Should().BeApproximately(0.2, 0.01);
    }

    [Theory]
    [InlineData(10, 100)]
    [InlineData(7, 333)]
    [InlineData(3, 50)]
    public void A_hot_key_puts_no_endpoint_above_one_and_a_quarter_of_the_average(int endpoints, int calls)
    {
        var bench = new SelectionBench(SelectionBench.Numbered(endpoints), new SelectionOptions { Preset = SelectionPreset.Sticky });
        for (var call = 1; call <= calls; call++)
        {
            bench.Begin(bench.Choose(Keyed(1)).State!);
            bench.Members.Max(m => m.InFlight).Should().BeLessThanOrEqualTo((int)Math.Ceiling(1.25 * call / endpoints));
        }
    }

    [Fact]
    public void Every_process_finds_the_same_home() =>
        Homes(new SelectionBench(SelectionBench.Numbered(10), seed: 1), 1000).Should().Equal(Homes(new SelectionBench(SelectionBench.Numbered(10), seed: 99), 1000));

    [Fact]
    public void A_home_in_trouble_is_left_and_found_again()
    {
        var bench = new SelectionBench("abc");
        var home = bench.Pick(Keyed(1))!;
        for (var answers = 0; answers < 30; answers++)
            bench.Answered(home, 0.1);
        for (var failures = 0; failures < 6; failures++)
        {
            bench.Begin(bench[home]).Complete(null, bench.Now);
            bench.Fail(home, 4);
        }
        bench[home].Failure.ProbabilityAt(bench.Now).Should().BeGreaterThan(0.5);
        bench.Picks(50, Keyed(1)).Should().NotContain(home);
        bench.Now += TimeSpan.FromSeconds(60);
        bench.Pick(Keyed(1)).Should().Be(home);
    }

    [Fact]
    public void A_home_that_has_been_silent_for_too_long_is_left()
    {
        var bench = new SelectionBench("abc");
        foreach (var member in bench.Members)
            bench.Answered(member.Endpoint.Name, 0.1);
        var home = bench.Pick(Keyed(1))!;
        bench.Load("abc".Replace(home, "", StringComparison.Ordinal)[..1], 10);
        bench.Load(home, 1);
        bench.Pick(Keyed(1)).Should().Be(home);
        bench.Now += TimeSpan.FromSeconds(2);
        foreach (var member in bench.Members.Where(m => m.Endpoint.Name != home))
            bench.Answered(member.Endpoint.Name, 0.1);
        bench.Pick(Keyed(1)).Should().NotBe(home);
    }

    [Fact]
    public void Keys_come_home_one_by_one_and_stay()
    {
        var bench = new SelectionBench("abcd", SelectionPreset.Sticky);
        var before = Homes(bench, 5000);
        bench.Order("b", HealthOrder.ForceDown);
        Homes(bench, 5000).Should().NotContain("b");
        bench.Order("b", HealthOrder.BringUp);
        var returned = new HashSet<int>();
        foreach (var share in new[] { 0.1, 0.4, 0.7, 1 })
        {
            var homes = Homes(bench, 5000);
            var now = Enumerable.Range(0, 5000).Where(key => homes[key] == "b").ToHashSet();
            returned.Should().BeSubsetOf(now);
            (now.Count / (double)before.Count(h => h == "b")).Should().BeApproximately(share, 0.05);
            returned = now;
            bench.Now += TimeSpan.FromSeconds(10);
        }
    }

    [Fact]
    public void After_a_failure_a_key_has_one_second_home()
    {
        var bench = new SelectionBench("abcd", SelectionPreset.Sticky);
        var home = bench.Pick(Keyed(7))!;
        bench.After((home, new Fault(FaultKind.ServerError)));
        bench.Picks(20, Keyed(7)).Distinct().Should().ContainSingle();
    }

    private static string[] Homes(SelectionBench bench, int keys = Keys) => [.. Enumerable.Range(0, keys).Select(key => bench.Pick(Keyed(key))!)];

    [Fact]
    public void A_home_of_a_large_weight_takes_as_much_more()
    {
        var bench = new SelectionBench("ab", SelectionPreset.Sticky, 1, 4, 1);
        var profile = Enumerable.Range(0, 100).Select(Keyed).First(k => bench.Pick(k) == "a");
        bench.Load("a", 4);
        bench.Load("b", 1);
        bench.Shares(20, profile)["a"].Should().Be(1, "five of six are not more than one and a quarter of four fifths");
    }
}
