using HaKit.Limits;

namespace HaKit.Tests.Limits;

public sealed class LimitOptionsTests
{
    [Fact]
    public void Nothing_set_and_the_smallest_limits_are_valid()
    {
        new LimitOptions().Validate("Limits").Should().BeEmpty();
        new LimitOptions { MaxConcurrency = 1, RequestsPerMinute = 1, TokensPerMinute = 1 }.Validate("Limits").Should().BeEmpty();
        new RetryBudgetOptions().Validate("RetryBudget").Should().BeEmpty();
    }

    [Fact]
    public void Each_wrong_limit_is_named_with_its_value() =>
        new LimitOptions { MaxConcurrency = 0, RequestsPerMinute = -1, TokensPerMinute = -2 }.Validate("Endpoints:0:Limits").Should().Equal(
            "Endpoints:0:Limits:MaxConcurrency is 0: at least 1 is needed. For no limit, leave it out.",
            "Endpoints:0:Limits:RequestsPerMinute is -1: at least 1 is needed. For no limit, leave it out.",
            "Endpoints:0:Limits:TokensPerMinute is -2: at least 1 is needed. For no limit, leave it out.");

    [Fact]
    public void The_ends_of_each_range_of_the_retry_budget_are_valid()
    {
        new RetryBudgetOptions { PerSuccess = 0, Cap = 0, Cost = 0, HedgesPerCall = 0 }.Validate("RetryBudget").Should().BeEmpty();
        new RetryBudgetOptions { PerSuccess = 10, Cap = 1000, Cost = 1000, HedgesPerCall = 1 }.Validate("RetryBudget").Should().BeEmpty();
        new RetryBudgetOptions { PerSuccess = 10.5, Cap = -1, Cost = 1001, HedgesPerCall = -0.1 }.Validate("RetryBudget").Should().HaveCount(4);
    }

    [Fact]
    public void Options_are_alike_when_every_limit_is()
    {
        Some().IsAlike(Some()).Should().BeTrue();
        new Action<LimitOptions>[] { o => o.MaxConcurrency = 9, o => o.RequestsPerMinute = null, o => o.TokensPerMinute = 9, o => o.AdaptiveConcurrency = false }
            .Select(change => { var other = Some(); change(other); return Some().IsAlike(other); }).Should().NotContain(true);

        static LimitOptions Some() => new() { MaxConcurrency = 1, RequestsPerMinute = 2, TokensPerMinute = 3, AdaptiveConcurrency = true };
    }

    [Fact]
    public void Each_wrong_number_of_the_retry_budget_is_named_with_its_value() =>
        new RetryBudgetOptions { PerSuccess = -0.5, Cap = 1001, Cost = double.NaN, HedgesPerCall = 1.5 }.Validate("RetryBudget").Should().Equal(
            "RetryBudget:PerSuccess is -0.5: 0 to 10 is needed.",
            "RetryBudget:Cap is 1001: 0 to 1000 is needed.",
            "RetryBudget:Cost is NaN: 0 to 1000 is needed.",
            "RetryBudget:HedgesPerCall is 1.5: 0 to 1 is needed.");
}
