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

    [Theory]
    [InlineData(1, null, false)]
    [InlineData(1, null, true)]
    [InlineData(2, null, false)]
    [InlineData(2, 0, false)]
    [InlineData(2, 0, true)]
    [InlineData(2, 1, false)]
    public async Task A_served_call_lists_no_rule_that_ends_a_call(int endpoints, int? mostRetries, bool neverWaits)
    {
        var time = new ManualTimeProvider();
        await using var pool = TestPool.Create(time, endpoints, o =>
        {
            o.Retry.MaxRetryAttempts = mostRetries;
            o.MaxWait = neverWaits ? TimeSpan.Zero : null;
        });
        // No time is learned yet. So after 30 s the pool looks for another endpoint, and keeps the silent attempt.
        var call = pool.ExecuteWithDetailAsync(RequestProfile.Default, time, static async (attempt, time, token) =>
        {
            await Task.Delay(TimeSpan.FromSeconds(attempt.Endpoint.Name == "a" ? 40 : 60), time, token);
            return 0;
        }, TestContext.Current.CancellationToken).AsTask();
        time.Advance(TimeSpan.FromSeconds(40));
        call.IsCompleted.Should().BeTrue();
        var (_, detail) = await call;
        detail.Endpoint.Should().Be("a");
        detail.WaitRules.Should().Equal(endpoints > 1 && mostRetries != 0 ? [WaitRule.Silence] : Array.Empty<WaitRule>(), "the call has not waited");
        detail.Hedged.Should().Be(detail.AttemptCount > 1, "a second attempt has begun beside the slow one");
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
