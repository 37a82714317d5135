using HaKit.Selection;

namespace HaKit.Tests.Selection;

public sealed class TurnTests
{
    [Fact]
    public void Smooth_weighted_turns_of_5_1_1_are_aabacaa() =>
        new SelectionBench("abc", SelectionPreset.Weighted, 1, 5, 1, 1).Picks(14).Should().Be("aabacaaaabacaa");

    [Fact]
    public void Smooth_weighted_turns_of_5_3_2_are_abcaabacba() =>
        new SelectionBench("abc", SelectionPreset.Weighted, 1, 5, 3, 2).Picks(20).Should().Be("abcaabacbaabcaabacba");

    [Fact]
    public void Round_robin_takes_one_after_the_other_whatever_the_weights() =>
        new SelectionBench("abc", SelectionPreset.RoundRobin, 1, 5, 3, 2).Picks(7).Should().Be("abcabca");

    [Fact]
    public void Weights_that_are_not_whole_keep_their_proportions() =>
        new SelectionBench("ab", SelectionPreset.Weighted, 1, 0.75, 0.25).Picks(8).Should().Be("aabaaaba");

    [Fact]
    public void A_turn_of_many_unequal_weights_is_smooth_and_keeps_their_proportions()
    {
        var bench = new SelectionBench(SelectionBench.Numbered(300, (i, e) => e.Weight = 1 + i % 3), new SelectionOptions { Preset = SelectionPreset.Weighted });
        var picks = Enumerable.Range(0, 600).Select(_ => bench.Pick()!).ToArray();
        picks.CountBy(name => name).Should().OnlyContain(c => c.Value == bench[c.Key].Endpoint.Weight);
        var heaviest = Enumerable.Range(0, 600).Where(i => picks[i] == "e2").ToArray();
        heaviest.Zip(heaviest.Skip(1), (a, b) => b - a).Should().OnlyContain(gap => gap >= 195 && gap <= 205);
    }

    [Fact]
    public void An_ejection_does_not_begin_the_turn_anew()
    {
        var bench = new SelectionBench("abcd", SelectionPreset.RoundRobin);
        bench.Picks(2).Should().Be("ab");
        bench.Eject("d");
        bench.Picks(3).Should().Be("cab");
    }

    [Fact]
    public void Different_kinds_of_requests_take_turns_of_their_own()
    {
        var bench = new SelectionBench("ab", SelectionPreset.RoundRobin);
        var tools = new RequestProfile { Tools = true };
        var served = "";
        for (var i = 0; i < 4; i++)
            served += bench.Pick() + bench.Pick(tools);
        served.Should().Be("aabbaabb");
    }

    [Theory]
    [InlineData(0.2, 0.3)]
    [InlineData(2000, 3000)]
    public void A_turn_is_as_short_as_the_proportions_allow(double a, double b) =>
        new SelectionBench("ab", SelectionPreset.Weighted, 1, a, b).Picks(10).Should().Be("babab" + "babab");

    [Fact]
    public void Who_weighs_next_to_nothing_has_one_place_in_a_turn_of_ten_thousand()
    {
        var bench = new SelectionBench("ab", SelectionPreset.Weighted, 1, 1_000_000, 1);
        bench.Picks(10_001).Count(name => name == 'b').Should().Be(1);
        bench.Picks(10_001).Count(name => name == 'b').Should().Be(1);
    }

    [Theory]
    [InlineData(SelectionPreset.RoundRobin)]
    [InlineData(SelectionPreset.Weighted)]
    public void More_kinds_of_requests_than_the_pool_remembers_share_the_endpoints_evenly(SelectionPreset preset)
    {
        var tags = Enumerable.Range(0, 20).Select(static i => $"t{i}").ToArray();
        var bench = new SelectionBench(SelectionBench.Numbered(3, (i, e) => (e.Weight, e.Tags) = (1 + i, tags)), new SelectionOptions { Preset = preset });
        var picks = Enumerable.Range(0, 600).Select(i => bench.Pick(new RequestProfile { Tags = [tags[i % 20]] })!).CountBy(static name => name).ToDictionary();
        for (var i = 0; i < 3; i++)
            (picks[$"e{i}"] / 600.0).Should().BeApproximately(preset == SelectionPreset.Weighted ? (1 + i) / 6.0 : 1 / 3.0, 0.05);
    }
}
