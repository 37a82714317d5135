using HaKit.Failover;
using HaKit.Testing;

namespace HaKit.Tests.Failover;

/// <summary>Tests the list of the rules by which a call waited. Its last rule is the rule that ended the call.</summary>
public sealed class WaitRuleTests
{
    private static readonly WaitRule[] s_rules = [.. Enum.GetValues<WaitRule>().Where(static r => r != WaitRule.None)];

    [Fact(Timeout = 60_000)]
    public void Each_rule_is_listed_once_and_the_rule_that_applied_last_is_the_last()
    {
        var random = new Random(7);
        var call = new FailoverCall(new ManualTimeProvider());
        for (var life = 0; life < 1000; life++)
        {
            call.Clear();
            call.WaitRules().Should().BeEmpty();
            var expected = new List<WaitRule>();
            for (var i = random.Next(40); i >= 0; i--)
            {
                var rule = s_rules[random.Next(s_rules.Length)];
                var wasListed = expected.Remove(rule);
                expected.Add(rule);
                call.RecordRule(rule).Should().Be(!wasListed, "only the first time counts in the metric");
                call.WaitRules().Should().Equal(expected);
            }
        }
    }

    [Fact]
    public void All_rules_together_have_room()
    {
        var call = new FailoverCall(new ManualTimeProvider());
        foreach (var rule in s_rules)
            call.RecordRule(rule);
        call.WaitRules().Should().Equal(s_rules);
        call.RecordRule(s_rules[0]).Should().BeFalse();
        call.WaitRules().Should().Equal([.. s_rules[1..], s_rules[0]]);
    }
}
