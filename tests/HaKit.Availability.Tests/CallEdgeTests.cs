namespace HaKit.Availability.Tests;

/// <summary>Tests retries, queues and survival by closed forms, in both parts.</summary>
public sealed class CallEdgeTests
{
    private const double Exactly = 1e-14;

    [Theory]
    [InlineData(1e-20, 3)]
    [InlineData(0.25, 3)]
    [InlineData(0.5, 2)]
    [InlineData(0.75, 4)]
    public void Success_within_attempts_keeps_the_digits_of_a_rare_success(double attempt, int attempts)
    {
        var exact = 0.0;
        for (var i = 0; i < attempts; i++)
            exact += attempt * Math.Pow(1 - attempt, i);
        (Retry.Success(AvailabilityRatio.From(attempt), attempts).Value / exact).Should().BeApproximately(1, Exactly);
    }

    [Theory]
    [InlineData(1, 1, 1, 0.5)]
    [InlineData(1, 1, 4, 0.8)]
    [InlineData(3, 2, 2, 0.6)]
    [InlineData(0.5, 1.5, 3, 1 - 0.25 * 0.5 * 0.625)]
    public void Correlated_attempts_succeed_with_the_complement_of_the_product(double alpha, double beta, int attempts, double success)
    {
        var result = Retry.SuccessWithCorrelation(alpha, beta, attempts);
        result.Value.Should().BeApproximately(success, Exactly);
        result.Unavailability.Should().BeApproximately(1 - success, Exactly);
    }

    [Theory]
    [InlineData("0.99", "0.9999", 2)]
    [InlineData("0.999", "0.999", 1)]
    [InlineData("0.5", "0.9", 4)]
    [InlineData("0.9", "0.99999", 5)]
    public void The_fewest_attempts_are_the_ratio_of_the_nines(string attempt, string target, int attempts) =>
        Retry.AttemptsFor(AvailabilityRatio.Parse(attempt), AvailabilityRatio.Parse(target)).Should().Be(attempts);

    [Fact]
    public void A_hedge_counts_from_its_delay_on()
    {
        // A tenth of the answers come at once.
        static double Slower(TimeSpan t) => 0.9 * Math.Exp(-t.TotalSeconds);
        var delay = TimeSpan.FromSeconds(2);
        Retry.HedgedTail(Slower, delay, delay).Should().BeApproximately(0.9 * Math.Exp(-2) * 0.9, Exactly);
        Retry.HedgedTail(Slower, delay - TimeSpan.FromTicks(1), delay).Should().BeApproximately(0.9 * Math.Exp(-2), 1e-6);
    }

    [Fact]
    public void Waits_of_one_and_two_servers_are_their_closed_forms()
    {
        // M/M/1: C = ρ. M/M/2: C = 2ρ²/(1 + ρ).
        Queueing.MeanWait(1, 2.5, 4).Should().BeApproximately(0.625 / 1.5, Exactly);
        Queueing.WaitTail(1, 2.5, 4, 0.7).Should().BeApproximately(0.625 * Math.Exp(-1.5 * 0.7), Exactly);
        const double rho = 2.5 / 8, waiting = 2 * rho * rho / (1 + rho);
        Queueing.MeanWait(2, 2.5, 4).Should().BeApproximately(waiting / 5.5, Exactly);
        Queueing.WaitTail(2, 2.5, 4, 0.3).Should().BeApproximately(waiting * Math.Exp(-5.5 * 0.3), Exactly);
    }

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    public void A_queue_that_gets_as_much_as_it_serves_or_more_has_no_end(double arrivals)
    {
        Queueing.MeanWait(1, arrivals, 4).Should().Be(double.PositiveInfinity);
        Queueing.WaitTail(1, arrivals, 4, 2).Should().Be(1);
        Queueing.ErlangC(1, arrivals / 4).Should().Be(1);
    }

    [Fact]
    public void Without_load_only_a_system_without_servers_refuses()
    {
        (Queueing.ErlangB(0, 0), Queueing.ErlangB(1, 0), Queueing.ErlangB(3, 0)).Should().Be((1.0, 0.0, 0.0));
        Queueing.ServersFor(0, 0.5).Should().Be(1);
    }

    [Theory]
    [InlineData(0.25)]
    [InlineData(0.5)]
    [InlineData(0.125)]
    [InlineData(0.1)]
    [InlineData(0.7)]
    public void One_server_is_enough_when_exactly_its_load_may_wait(double load)
    {
        Queueing.ServersFor(load, load).Should().Be(1, "the waiting share of one server is its load");
        Queueing.ServersFor(load, load * 0.999).Should().Be(2);
    }

    [Fact]
    public void Failures_per_time_and_per_step_lead_to_each_other()
    {
        var survival = Reliability.ExponentialSurvival(2, 0.75);
        survival.Value.Should().BeApproximately(Math.Exp(-1.5), Exactly);
        survival.Unavailability.Should().BeApproximately(1 - Math.Exp(-1.5), Exactly);
        Reliability.ExponentialSurvival(1e-20, 3).Unavailability.Should().BeApproximately(3e-20, 1e-34);
        Reliability.RateFromStepProbability(0.5, 4).Should().BeApproximately(Math.Log(2) / 4, Exactly);
    }

    [Theory]
    [InlineData(1, 0.5, 1)]
    [InlineData(2, 0.5, 1)]
    [InlineData(3, 4, 0.8)]
    [InlineData(2, 30, 0.9)]
    [InlineData(4, 0.001, 1)]
    public void Survival_with_cold_spares_is_the_sum_over_the_number_of_failures(int units, double failures, double switching)
    {
        double up = 0, down = 0, poisson = Math.Exp(-failures);
        for (var i = 0; i < 300; i++)
        {
            var survived = i < units ? Math.Pow(switching, i) : 0;
            up += poisson * survived;
            down += poisson * (1 - survived);
            poisson *= failures / (i + 1);
        }

        var result = Reliability.StandbySurvival(units, failures, 1, switching);
        (result.Value / up).Should().BeApproximately(1, 1e-13);
        (result.Unavailability / down).Should().BeApproximately(1, 1e-13);
    }

    [Theory]
    [InlineData(2, 1, 1)]
    [InlineData(3, 1, 1)]
    public void A_checkpoint_that_costs_twice_the_time_between_failures_is_taken_at_each(double cost, double mtbf, double interval) =>
        Backup.DalyInterval(cost, mtbf).Should().Be(interval);
}
