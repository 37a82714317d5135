using HaKit.Tool.Rehearsals;

namespace HaKit.Tool.Tests.Rehearsals;

public sealed class PlanTests
{
    [Fact]
    public void One_server_at_a_time_is_in_trouble_so_that_a_lost_call_has_no_excuse()
    {
        foreach (var acts in new[] { Act.Drill(TimeSpan.FromSeconds(30)), Act.Replay(TimeSpan.FromSeconds(30)) })
        {
            acts.Should().OnlyContain(a => a.From < a.Until && a.Until < TimeSpan.FromSeconds(30));
            acts.Zip(acts.Skip(1)).Should().OnlyContain(pair => pair.First.Until < pair.Second.From);
        }
        Act.Drill(TimeSpan.FromSeconds(30)).Select(a => a.Trouble).Distinct().Should().BeEquivalentTo(Enum.GetValues<Trouble>());
        Act.Replay(TimeSpan.FromSeconds(30)).Select(a => a.Trouble).Should().Equal(Trouble.Killed, Trouble.Slowed);
    }

    [Fact]
    public void Arrivals_come_at_the_rate_asked_for_and_the_same_seed_gives_the_same()
    {
        var arrivals = Arrivals.AtRandom(100, TimeSpan.FromSeconds(100), seed: 7).ToArray();

        arrivals.Length.Should().BeInRange(9_600, 10_400, "a Poisson count of mean 10,000 strays by 4 standard deviations once in 16,000 seeds");
        arrivals.Should().BeInAscendingOrder(a => a.At).And.OnlyContain(a => a.At >= TimeSpan.Zero && a.At < TimeSpan.FromSeconds(100));
        Arrivals.AtRandom(100, TimeSpan.FromSeconds(100), seed: 7).Should().Equal(arrivals);
        Arrivals.AtRandom(100, TimeSpan.FromSeconds(100), seed: 8).Should().NotEqual(arrivals);
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(1, 4)]
    [InlineData(12_345, 4)]
    [InlineData(12_345, 4_142)]
    public void Prompts_are_as_long_as_asked_and_begin_with_their_number(int number, int tokens)
    {
        var prompt = Caller.Prompt(number, tokens);

        prompt.Should().StartWith($"{number}: ");
        if (tokens > 3)
            prompt.Should().HaveLength(4 * tokens);
    }
}
