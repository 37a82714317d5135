using HaKit.Limits;

namespace HaKit.Tests.Limits;

public sealed class RetryBudgetTests
{
    [Fact]
    public void A_new_pool_may_retry_up_to_the_cap()
    {
        var budget = new RetryBudget(new RetryBudgetOptions());

        Take(budget.TryRetry).Should().Be(10);
        budget.Level.Should().Be(0);
    }

    [Fact]
    public void Ten_successes_earn_one_retry_exactly()
    {
        var budget = Spent();

        Repeat(9, budget.RecordSuccess);
        budget.TryRetry().Should().BeFalse();
        budget.RecordSuccess();

        budget.TryRetry().Should().BeTrue();
        budget.TryRetry().Should().BeFalse();
    }

    [Fact]
    public void A_retry_that_is_served_costs_nothing()
    {
        var budget = Spent();
        Repeat(10, budget.RecordSuccess);

        for (var call = 0; call < 100; call++)
        {
            budget.TryRetry().Should().BeTrue();
            budget.TryRetry().Should().BeFalse();
            budget.Refund();
        }

        budget.Level.Should().Be(1);
    }

    [Theory]
    [InlineData(10, 1, false)]
    [InlineData(1, 1, false)]
    [InlineData(0.5, 1, true)]
    [InlineData(0, 1, true)]
    [InlineData(0, 0, false)]
    public void A_budget_whose_cap_is_below_the_price_of_a_retry_is_without_savings(double cap, double cost, bool isWithout) =>
        new RetryBudget(new RetryBudgetOptions { Cap = cap, Cost = cost }).IsWithoutSavings.Should().Be(isWithout);

    [Fact]
    public void Whether_a_retry_can_be_paid_is_told_without_paying()
    {
        var budget = Spent();
        budget.CanRetry.Should().BeFalse();
        Repeat(9, budget.RecordSuccess);
        budget.CanRetry.Should().BeFalse("nine tenths are saved up");
        budget.RecordSuccess();
        budget.CanRetry.Should().BeTrue("exactly the price is saved up");
        budget.CanRetry.Should().BeTrue();
        budget.TryRetry().Should().BeTrue();
        budget.CanRetry.Should().BeFalse();
    }

    [Fact]
    public void Savings_stop_at_the_cap()
    {
        var budget = new RetryBudget(new RetryBudgetOptions());
        Repeat(1000, budget.RecordSuccess);

        budget.Level.Should().Be(10);
    }

    [Fact]
    public void A_total_outage_adds_no_more_than_the_savings()
    {
        var budget = new RetryBudget(new RetryBudgetOptions());
        var attempts = 0;
        for (var call = 0; call < 10_000; call++)
        {
            budget.RecordCall();
            attempts++;
            for (var again = 0; again < 2 && budget.TryRetry(); again++)
                attempts++;
        }

        attempts.Should().Be(10_010);
    }

    [Fact]
    public void Hedges_are_at_most_a_twentieth_of_the_calls()
    {
        var budget = new RetryBudget(new RetryBudgetOptions());
        var hedges = 0;
        for (var call = 1; call <= 10_000; call++)
        {
            budget.RecordCall();
            budget.RecordSuccess();
            if (budget.TryHedge())
                hedges++;
            hedges.Should().BeLessThanOrEqualTo(call / 20);
        }

        hedges.Should().Be(500);
        budget.Level.Should().BeGreaterThanOrEqualTo(9, "successes earn twice what the hedges cost");
    }

    [Fact]
    public void Hedges_pay_from_the_same_budget()
    {
        var budget = Spent();
        Repeat(200, budget.RecordCall);

        budget.TryHedge().Should().BeFalse();
        Repeat(10, budget.RecordSuccess);
        budget.TryHedge().Should().BeTrue();

        budget.Level.Should().Be(0);
    }

    [Fact]
    public void A_quiet_year_does_not_buy_a_storm_of_hedges()
    {
        var budget = new RetryBudget(new RetryBudgetOptions());
        Repeat(100_000, budget.RecordCall);

        Take(budget.TryHedge).Should().Be(10);
    }

    [Fact]
    public void Zero_means_none()
    {
        Take(new RetryBudget(new RetryBudgetOptions { Cap = 0 }).TryRetry).Should().Be(0);
        var withoutHedges = new RetryBudget(new RetryBudgetOptions { HedgesPerCall = 0 });
        Repeat(1000, withoutHedges.RecordCall);
        withoutHedges.TryHedge().Should().BeFalse();
        withoutHedges.Level.Should().Be(10);
    }

    [Fact]
    public void A_hedge_that_was_never_made_is_given_back_with_its_allowance()
    {
        var budget = new RetryBudget(new RetryBudgetOptions());
        Repeat(20, budget.RecordCall);
        budget.TryHedge().Should().BeTrue();
        budget.RefundHedge();
        budget.Level.Should().Be(10);
        budget.TryHedge().Should().BeTrue("its calls are not spent");
        budget.TryHedge().Should().BeFalse();
    }

    [Fact]
    public void A_refused_hedge_costs_nothing_and_an_allowed_one_costs_a_retry()
    {
        var budget = new RetryBudget(new RetryBudgetOptions { Cost = 2 });
        Repeat(19, budget.RecordCall);
        budget.TryHedge().Should().BeFalse("nineteen calls have not earned one");
        budget.Level.Should().Be(10);

        budget.RecordCall();
        budget.TryHedge().Should().BeTrue();
        budget.Level.Should().Be(8);
        budget.TryHedge().Should().BeFalse("its calls are spent");
        Take(budget.TryRetry).Should().Be(4);
    }

    [Fact]
    public void Hedges_that_cost_nothing_still_need_their_share_of_the_calls()
    {
        var budget = new RetryBudget(new RetryBudgetOptions { Cap = 0, Cost = 0, HedgesPerCall = 0.5 });
        Repeat(10, budget.RecordCall);

        Take(budget.TryHedge).Should().Be(1, "where nothing can be saved up, one is kept");
    }

    [Fact]
    public void A_retry_is_refused_where_less_than_its_cost_is_left()
    {
        var budget = new RetryBudget(new RetryBudgetOptions { Cap = 5, Cost = 3, PerSuccess = 0.5 });
        Take(budget.TryRetry).Should().Be(1);
        budget.Level.Should().Be(2);
        budget.RecordSuccess();
        budget.TryRetry().Should().BeFalse();
        budget.RecordSuccess();
        budget.TryRetry().Should().BeTrue();
        budget.Level.Should().Be(0);
    }

    [Fact]
    public async Task Two_threads_never_spend_more_than_was_earned()
    {
        var budget = new RetryBudget(new RetryBudgetOptions());
        var spent = (await Task.WhenAll(OnThread(), OnThread())).Sum();

        (spent + Take(budget.TryRetry)).Should().BeInRange(10, 10 + 40_000);
        spent.Should().BeGreaterThan(30_000);

        Task<int> OnThread() => Task.Factory.StartNew(() =>
        {
            var taken = 0;
            for (var i = 0; i < 200_000; i++)
            {
                budget.RecordSuccess();
                if (budget.TryRetry())
                    taken++;
            }
            return taken;
        }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    private static RetryBudget Spent()
    {
        var budget = new RetryBudget(new RetryBudgetOptions());
        Take(budget.TryRetry);
        return budget;
    }

    private static int Take(Func<bool> take)
    {
        var taken = 0;
        while (taken < 100_000 && take())
            taken++;
        return taken;
    }

    private static void Repeat(int times, Action action)
    {
        for (var i = 0; i < times; i++)
            action();
    }
}
