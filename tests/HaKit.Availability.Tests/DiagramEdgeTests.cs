using static HaKit.Availability.ReliabilityBlock;

namespace HaKit.Availability.Tests;

/// <summary>Tests diagrams with repeated units against a sum over all states, and the limits of the evaluation.</summary>
public sealed class DiagramEdgeTests
{
    private static readonly double[] Unavailabilities = [0.1, 0.2, 0.3, 0.4, 0.15];

    [Fact]
    public void Repeated_units_inside_repeated_units_agree_with_the_sum_over_all_states()
    {
        var (block, units) = Nested();
        var (up, down) = Sum(Works);
        block.Availability.Value.Should().BeApproximately(up, 1e-15);
        block.Availability.Unavailability.Should().BeApproximately(down, 1e-15);

        foreach (var importance in block.GetImportance())
        {
            var i = Array.FindIndex(units, unit => unit.Name == importance.Name);
            var birnbaum = Sum(state => Works(state | (1 << i))).Up - Sum(state => Works(state & ~(1 << i))).Up;
            importance.Birnbaum.Should().BeApproximately(birnbaum, 1e-14, importance.Name);
            importance.Criticality.Should().BeApproximately(birnbaum * Unavailabilities[i] / down, 1e-13, importance.Name);
        }
    }

    [Fact]
    public void Importance_is_sorted_whatever_the_order_of_the_parts()
    {
        var (weak, strong) = (Component("weak", AvailabilityRatio.From(0.9m)), Component("strong", AvailabilityRatio.From(0.99m)));
        Series(strong, weak).GetImportance().Select(c => c.Name).Should().Equal("weak", "strong");
        Series(weak, strong).GetImportance().Select(c => c.Name).Should().Equal("weak", "strong");
    }

    [Fact]
    public void Importance_keeps_its_digits_where_the_whole_hardly_ever_works_and_where_it_hardly_ever_fails()
    {
        var (seldom, rare) = (Component("seldom", AvailabilityRatio.From(1e-10)), Component("rare", AvailabilityRatio.From(1e-20)));
        Birnbaum(Series(seldom, rare), "rare").Should().BeApproximately(1e-10, 1e-24);
        var (good, better) = (Component("good", AvailabilityRatio.FromUnavailability(1e-10)), Component("better", AvailabilityRatio.FromUnavailability(1e-20)));
        Birnbaum(Parallel(good, better), "better").Should().BeApproximately(1e-10, 1e-24);
    }

    [Fact]
    public void Units_that_never_fail_are_not_critical()
    {
        var all = Series(Component("a", AvailabilityRatio.Always), Component("b", AvailabilityRatio.Always));
        all.GetImportance().Should().OnlyContain(c => c.Criticality == 0 && c.Birnbaum == 1);
    }

    [Fact]
    public void A_block_whose_unavailability_underflows_has_no_time_down()
    {
        var times = Series(Component("a", 1e300, 1e-300)).GetTimes();
        times.Should().Be(new BlockTimes(0, double.PositiveInfinity, 0));
    }

    [Fact]
    public void Twenty_repeated_units_are_evaluated_and_21_are_refused()
    {
        Series(Twice(20, AvailabilityRatio.Always)).Availability.Should().Be(AvailabilityRatio.Always);
        Parallel(Twice(20, AvailabilityRatio.Never)).Availability.Should().Be(AvailabilityRatio.Never);
        FluentActions.Invoking(() => Series(Twice(21, AvailabilityRatio.Always)).Availability).Should().Throw<InvalidOperationException>().WithMessage("21 components are repeated*at most 20*");

        // Units that are always up or always down need one evaluation each, so twenty of them take no time.
        static ReliabilityBlock[] Twice(int count, AvailabilityRatio availability)
        {
            ReliabilityBlock[] units = [.. Enumerable.Range(0, count).Select(i => Component($"{i}", availability))];
            return [.. units, .. units];
        }
    }

    [Fact]
    public void Only_repeated_units_count_as_repeated()
    {
        var shared = Component("shared", AvailabilityRatio.From(0.5m));
        ReliabilityBlock[] alone = [.. Enumerable.Range(0, 30).Select(i => Component($"{i}", AvailabilityRatio.From(0.5m)))];
        Parallel([shared, shared, .. alone]).Availability.Unavailability.Should().BeApproximately(Math.Pow(0.5, 31), 1e-24);
    }

    [Fact]
    public void Five_hundred_levels_are_allowed_and_one_more_is_refused()
    {
        ReliabilityBlock block = Component("a", AvailabilityRatio.From(0.9m));
        for (var level = 0; level < 500; level++)
            block = Series(block);
        block.Availability.Should().Be(AvailabilityRatio.From(0.9m));
        FluentActions.Invoking(() => Series(block)).Should().Throw<ArgumentException>().WithMessage("*more than 500 deep*");
    }

    [Fact]
    public void A_common_cause_that_is_always_there_leaves_nothing_to_the_units()
    {
        var units = WithCommonCause(1, Component("a", AvailabilityRatio.Never), Component("b", AvailabilityRatio.Never));
        Parallel(units).Availability.Should().Be(AvailabilityRatio.Never);
    }

    private static double Birnbaum(ReliabilityBlock block, string name) => block.GetImportance().Single(c => c.Name == name).Birnbaum;

    /// <summary>Units x = 0 and y = 1 are repeated; y only within a block that itself contains x and is evaluated once for each state of x.</summary>
    private static (ReliabilityBlock Block, ReliabilityComponent[] Units) Nested()
    {
        ReliabilityComponent[] u = [.. Unavailabilities.Select((q, i) => Component($"{i}", AvailabilityRatio.FromUnavailability(q)))];
        var inner = Parallel(Series(u[1], u[2], u[0]), Series(u[1], u[3]));
        return (Parallel(inner, Series(u[0], u[4])), u);
    }

    private static bool Works(int state)
    {
        bool Up(int i) => (state >> i & 1) == 1;
        return (Up(1) && Up(2) && Up(0)) || (Up(1) && Up(3)) || (Up(0) && Up(4));
    }

    private static (double Up, double Down) Sum(Func<int, bool> works)
    {
        double up = 0, down = 0;
        for (var state = 0; state < 1 << Unavailabilities.Length; state++)
        {
            var p = 1.0;
            for (var i = 0; i < Unavailabilities.Length; i++)
                p *= (state >> i & 1) == 1 ? 1 - Unavailabilities[i] : Unavailabilities[i];
            if (works(state))
                up += p;
            else
                down += p;
        }

        return (up, down);
    }
}
