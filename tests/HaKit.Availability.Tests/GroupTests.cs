using static HaKit.Availability.ReliabilityBlock;

namespace HaKit.Availability.Tests;

public sealed class GroupTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 1)]
    [InlineData(5, 3)]
    [InlineData(40, 37)]
    public void A_hot_group_with_a_crew_for_each_unit_is_k_of_n_of_independent_units(int units, int required)
    {
        var group = new RepairableGroup { Units = units, Required = required, Mttf = 1000, Mttr = 2 };
        var block = KofN(required, [.. Enumerable.Range(0, units).Select(i => Component($"{i}", 1000, 2))]);

        Relative(group.Availability().Unavailability, block.Availability.Unavailability).Should().BeLessThan(1e-12);
        Relative(group.Times().FailureFrequency, block.GetTimes().FailureFrequency).Should().BeLessThan(1e-11);
        Relative(group.Times().MeanUpTime, block.GetTimes().MeanUpTime).Should().BeLessThan(1e-11);
    }

    [Fact]
    public void An_uncovered_failure_counts_as_a_failure_of_the_group()
    {
        // Nothing is covered: 0 → standing still at 2λ → one down at δ; balance by hand.
        const double l = 0.01, mu = 1, d = 4;
        double still = 2 * l / d, one = 2 * l / mu, two = one * l / (2 * mu);
        var total = 1 + still + one + two;

        var group = new RepairableGroup { Mttf = 1 / l, Mttr = 1 / mu, Coverage = 0, UncoveredRecovery = 1 / d };

        Relative(group.Times().FailureFrequency, (2 * l + one * l) / total).Should().BeLessThan(1e-13);
        Relative(group.Availability().Unavailability, (still + two) / total).Should().BeLessThan(1e-13);
    }

    [Fact]
    public void One_unit_fails_first_after_its_mttf() =>
        new RepairableGroup { Units = 1, Mttf = 700, Mttr = 2 }.MeanTimeToFirstFailure().Should().BeApproximately(700, 1e-9);

    [Fact]
    public void Crews_coverage_and_cold_spares_each_help()
    {
        var group = new RepairableGroup { Units = 4, Required = 2, Mttf = 100, Mttr = 5, Crews = 1, Dormancy = 0.5, Coverage = 0.9 };
        var availability = group.Availability();
        (group with { Crews = 2 }).Availability().Should().BeGreaterThan(availability);
        (group with { Coverage = 0.99 }).Availability().Should().BeGreaterThan(availability);
        (group with { Dormancy = 0 }).Availability().Should().BeGreaterThan(availability);
        (group with { UncoveredRecovery = 0.1 }).Availability().Should().BeGreaterThan(availability);
        (group with { Units = 5 }).MeanTimeToFirstFailure().Should().BeGreaterThan(group.MeanTimeToFirstFailure());
    }

    [Fact]
    public void Without_repair_or_redundancy_all_that_fails_is_lost()
    {
        var group = new RepairableGroup { Units = 3, Required = 3, Mttf = 300, Mttr = null };
        group.MeanTimeToFirstFailure().Should().BeApproximately(100, 1e-9);
    }

    [Fact]
    public void A_group_of_hundreds_is_solved()
    {
        var group = new RepairableGroup { Units = 300, Required = 290, Mttf = 1000, Mttr = 2, Coverage = 0.999, Crews = 5 };
        group.Availability().Value.Should().BeInRange(0.9, 1);
        group.Times().MeanDownTime.Should().BePositive();
    }

    [Fact]
    public void A_failover_that_takes_no_time_is_a_hot_pair()
    {
        var failover = new FailoverModel { Detection = TimeSpan.Zero };
        var pair = new RepairableGroup { Mttf = 720, Mttr = 1 };
        Relative(failover.Availability().Unavailability, pair.Availability().Unavailability).Should().BeLessThan(1e-12);
    }

    [Fact]
    public void Each_part_of_a_failover_costs_what_it_lasts()
    {
        var model = new FailoverModel();
        var (fast, slow) = (model with { Detection = TimeSpan.Zero, Decision = TimeSpan.FromMinutes(1) }, model with { Detection = TimeSpan.FromMinutes(1) });
        fast.Availability().Should().Be(slow.Availability(), "it does not matter where the minute goes");
        (model with { Coverage = 0.9 }).Availability().Should().BeLessThan(model.Availability());
        (model with { Coverage = 0, Dormancy = 0 }).Availability().Unavailability.Should().BeApproximately(0.5 / 720.5, 1e-12, "every failure waits for somebody to look");
        (model with { Crews = 1 }).Availability().Should().BeLessThan(model.Availability());
    }

    [Fact]
    public void A_first_order_plan_of_a_pair_agrees_with_its_chain()
    {
        foreach (var coverage in (double[])[1, 0.95])
        {
            var chain = new FailoverModel { Mttf = TimeSpan.FromDays(30), Mttr = TimeSpan.FromHours(1), Detection = TimeSpan.FromSeconds(30), Coverage = coverage };
            var unit = AvailabilityRatio.FromMttfMttr(720, 1);
            var plan = new PoolDesign
            {
                Endpoints = [new("a", unit), new("b", unit)],
                Routing = PoolRouting.Priority,
                Detection = chain.Detection,
                Coverage = coverage,
            };
            Relative(plan.Evaluate().Availability.Unavailability, chain.Availability().Unavailability).Should().BeLessThan(0.01);
        }
    }

    [Fact]
    public void Heartbeats_seldom_lie_when_more_misses_are_asked_for()
    {
        static Heartbeat With(int misses) => new(TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(2), misses);
        With(3).MeanTimeToFalseAlarm(0.01).TotalDays.Should().BeApproximately(116.9, 0.1);
        With(2).MeanTimeToFalseAlarm(0.01).TotalHours.Should().BeApproximately(28.06, 0.01);
        With(3).WorstDetectionTime.Should().Be(TimeSpan.FromSeconds(32));
        With(3).MeanDetectionTime.Should().Be(TimeSpan.FromSeconds(27));
        With(500).MeanTimeToFalseAlarm(0.01).Should().Be(TimeSpan.MaxValue, "beyond what a duration can hold");
    }

    [Fact]
    public void Mean_beats_to_a_false_alarm_is_what_is_played_out()
    {
        var random = new Random(2);
        const int alarms = 3000;
        long beats = 0;
        for (var i = 0; i < alarms; i++)
        {
            for (var misses = 0; misses < 3; beats++)
                misses = random.NextDouble() < 0.2 ? misses + 1 : 0;
        }

        var expected = new Heartbeat(TimeSpan.FromSeconds(1), TimeSpan.Zero, 3).MeanBeatsToFalseAlarm(0.2);
        ((double)beats / alarms).Should().BeApproximately(expected, 5 * expected / Math.Sqrt(alarms));
    }

    [Fact]
    public void Standby_survival_reaches_from_one_unit_to_no_failure_at_all()
    {
        Reliability.StandbySurvival(1, 2, 1).Value.Should().BeApproximately(Math.Exp(-2), 1e-15);
        Reliability.StandbySurvival(3, 2, 1, 0).Value.Should().BeApproximately(Math.Exp(-2), 1e-15);
        Reliability.StandbySurvival(30, 1, 1).Unavailability.Should().BePositive().And.BeLessThan(1e-30);
        Reliability.StandbySurvival(2, 1, 0).Should().Be(AvailabilityRatio.Always);
    }

    [Fact]
    public void Queues_agree_with_their_closed_forms_and_the_fewest_servers_suffice()
    {
        Queueing.ErlangC(1, 0.7).Should().BeApproximately(0.7, 1e-15);
        Queueing.ErlangC(5, 5).Should().Be(1);
        Queueing.MeanWait(5, 5, 1).Should().Be(double.PositiveInfinity);
        Queueing.MeanWait(1, 0.5, 1).Should().BeApproximately(1, 1e-15);
        Queueing.WaitTail(2, 1, 1, 0).Should().Be(Queueing.ErlangC(2, 1));
        Queueing.ErlangB(0, 3).Should().Be(1);
        Queueing.ErlangB(1000, 900).Should().BeInRange(0, 1);
        foreach (var load in (double[])[0, 0.1, 3, 97.3, 5000])
        {
            var servers = Queueing.ServersFor(load, 0.05);
            Queueing.ErlangC(servers, load).Should().BeLessThanOrEqualTo(0.05);
            if (servers > 1)
                Queueing.ErlangC(servers - 1, load).Should().BeGreaterThan(0.05);
        }
    }

    [Fact]
    public void A_hedge_is_two_independent_chances_except_for_what_they_share()
    {
        static double Slower(TimeSpan t) => Math.Exp(-t.TotalSeconds);
        var (time, delay) = (TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(1));
        Retry.HedgedTail(Slower, time, delay).Should().BeApproximately(Math.Exp(-5), 1e-15);
        Retry.HedgedTail(Slower, delay / 2, delay).Should().BeApproximately(Math.Exp(-0.5), 1e-15);
        Retry.HedgedTail(Slower, time, delay, sharedCause: 1).Should().BeApproximately(Math.Exp(-3), 1e-15);
    }

    [Fact]
    public void Backoff_is_added_up_at_once_however_many_attempts()
    {
        Retry.TotalBackoff(TimeSpan.FromSeconds(1), 2, 6, TimeSpan.FromSeconds(4)).Should().Be(TimeSpan.FromSeconds(1 + 2 + 4 + 4 + 4));
        Retry.TotalBackoff(TimeSpan.FromSeconds(1), 1, 11).Should().Be(TimeSpan.FromSeconds(10));
        Retry.TotalBackoff(TimeSpan.Zero, 1, int.MaxValue).Should().Be(TimeSpan.Zero);
        Retry.TotalBackoff(TimeSpan.FromSeconds(1), 2, 1000).Should().Be(TimeSpan.MaxValue);
        Retry.TotalBackoff(TimeSpan.FromSeconds(1), 2, 1).Should().Be(TimeSpan.Zero);
    }

    [Fact]
    public void Layers_multiply_in_an_outage_but_hardly_in_ordinary_times()
    {
        Retry.LayerAmplification(3, 4).Should().Be(81);
        Retry.ExpectedAmplification(AvailabilityRatio.From(0.99m), 3, 4).Should().BeInRange(1.0101, 1.0102);
        Retry.ExpectedAmplification(AvailabilityRatio.Never, 3, 4).Should().Be(81);
    }

    private static double Relative(double actual, double expected) => Math.Abs(actual - expected) / Math.Abs(expected);
}
