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
            "Endpoints:0:Limits:MaxConcurrency is 0: at least 1 is needed, or nothing for no limit.",
            "Endpoints:0:Limits:RequestsPerMinute is -1: at least 1 is needed, or nothing for no limit.",
            "Endpoints:0:Limits:TokensPerMinute is -2: at least 1 is needed, or nothing for no limit.");

    [Fact]
    public void Each_wrong_number_of_the_retry_budget_is_named_with_its_value() =>
        new RetryBudgetOptions { PerSuccess = -0.5, Cap = 1001, Cost = double.NaN, HedgesPerCall = 1.5 }.Validate("RetryBudget").Should().Equal(
            "RetryBudget:PerSuccess is -0.5: 0 to 10 is needed.",
            "RetryBudget:Cap is 1001: 0 to 1000 is needed.",
            "RetryBudget:Cost is NaN: 0 to 1000 is needed.",
            "RetryBudget:HedgesPerCall is 1.5: 0 to 1 is needed.");
}
