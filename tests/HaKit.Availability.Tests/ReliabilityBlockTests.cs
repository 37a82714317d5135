using static HaKit.Availability.ReliabilityBlock;

namespace HaKit.Availability.Tests;

public sealed class ReliabilityBlockTests
{
    [Fact]
    public void Three_thousand_random_diagrams_agree_with_exact_fractions_in_both_parts()
    {
        var worst = 0.0;
        System.Threading.Tasks.Parallel.For(0, Effort.Of(3000), seed =>
        {
            var diagram = RandomDiagram.Create(seed);
            var exact = diagram.Unavailability();
            var actual = diagram.Block.Availability;
            var error = Math.Max(exact.RelativeErrorOf(actual.Unavailability), (Rational.One - exact).RelativeErrorOf(actual.Value));
            error.Should().BeLessThanOrEqualTo(5e-15, "diagram {0} must be exact", seed);
            InterlockedMax(ref worst, error);
        });
        TestContext.Current.TestOutputHelper!.WriteLine($"worst relative error {worst:E2}");
        worst.Should().BePositive("a comparison that never differs compares nothing");
    }

    [Fact]
    public void One_object_is_one_unit_wherever_it_stands()
    {
        var db = Component("db", AvailabilityRatio.From(0.999m));
        Parallel(db, db, db).Availability.Should().Be(db.Availability, "the same unit three times is no redundancy");
        Series(db, db).Availability.Should().Be(db.Availability);
    }

    [Fact]
    public void Repeated_units_are_decided_where_they_meet_so_that_many_groups_stay_cheap()
    {
        // Thirty groups with a common cause each: decided one by one, not 2³⁰ times.
        var groups = Enumerable.Range(0, 30).Select(g => Parallel(WithCommonCause(
            0.1, Component($"a{g}", AvailabilityRatio.From(0.99m)), Component($"b{g}", AvailabilityRatio.From(0.99m))))).ToArray();
        var one = groups[0].Availability;

        var all = Series(groups).Availability;

        (Math.Abs(all.Value - Math.Pow(one.Value, 30)) / all.Value).Should().BeLessThan(1e-12);
    }

    [Fact]
    public void A_shared_part_may_be_a_whole_block()
    {
        var pair = Parallel(Component("a", AvailabilityRatio.From(0.9m)), Component("b", AvailabilityRatio.From(0.9m)));
        Parallel(Series(pair, Component("x", AvailabilityRatio.From(0.9m))), Series(pair, Component("y", AvailabilityRatio.From(0.9m))))
            .Availability.Value.Should().BeApproximately(0.99 * 0.99, 1e-15);
    }

    [Fact]
    public void Two_objects_may_not_share_a_name()
    {
        var twins = Parallel(Component("db", AvailabilityRatio.From(0.9m)), Component("db", AvailabilityRatio.From(0.9m)));
        FluentActions.Invoking(() => twins.Availability).Should().Throw<InvalidOperationException>().WithMessage("*'db'*one object*");
    }

    [Fact]
    public void Too_many_repeated_units_are_refused_before_the_time_is_spent()
    {
        var units = Enumerable.Range(0, 25).Select(i => (ReliabilityBlock)Component($"{i}", AvailabilityRatio.From(0.9m))).ToArray();
        var block = Parallel([.. units, .. units]);
        FluentActions.Invoking(() => block.Availability).Should().Throw<InvalidOperationException>().WithMessage("25 components*");
    }

    [Fact]
    public void Nesting_that_would_overflow_the_stack_is_refused()
    {
        ReliabilityBlock block = Component("a", AvailabilityRatio.From(0.9m));
        FluentActions.Invoking(() =>
        {
            for (var i = 0; i < 100_000; i++)
                block = Series(block);
        }).Should().Throw<ArgumentException>().WithMessage("*deep*");
        block.Availability.Value.Should().Be(0.9);
    }

    [Fact]
    public void Times_of_a_series_are_those_of_its_failures_added_up()
    {
        var times = Series(Component("a", 1000, 2), Component("b", 500, 4)).GetTimes();
        times.MeanUpTime.Should().BeApproximately(1 / (1 / 1000.0 + 1 / 500.0), 1e-9);
        Component("a", 1000, 2).GetTimes().Should().Be(new BlockTimes(1 / 1002.0, 1000, 2));
    }

    [Fact]
    public void Times_need_times()
    {
        var block = Series(Component("a", 1000, 2), Component("b", AvailabilityRatio.From(0.99m)));
        block.Invoking(b => b.GetTimes()).Should().Throw<InvalidOperationException>().WithMessage("*'b'*");
    }

    [Fact]
    public void The_most_critical_component_comes_first()
    {
        var importance = Series(
            Component("weak", AvailabilityRatio.From(0.9m)),
            Parallel(Component("x", AvailabilityRatio.From(0.99m)), Component("y", AvailabilityRatio.From(0.99m)))).GetImportance();
        importance[0].Name.Should().Be("weak");
        importance[0].Birnbaum.Should().BeApproximately(0.9999, 1e-15);
        importance[0].Criticality.Should().BeApproximately(0.9999 * 0.1 / 0.10009, 1e-12);
    }

    [Fact]
    public void A_simulated_group_of_three_agrees_with_its_diagram_within_its_own_interval()
    {
        var (estimate, error) = Simulation.KofN(required: 2, units: 3, mttf: 20, mttr: 1, cycles: 40_000, seed: 5);
        var times = KofN(2, Component("a", 20, 1), Component("b", 20, 1), Component("c", 20, 1));
        Math.Abs(estimate.Unavailability - times.Availability.Unavailability).Should().BeLessThan(4 * error);
        error.Should().BeLessThan(0.1 * estimate.Unavailability, "an interval that holds everything says nothing");
    }

    private static void InterlockedMax(ref double target, double value)
    {
        var seen = Volatile.Read(ref target);
        while (value > seen)
        {
            var found = Interlocked.CompareExchange(ref target, value, seen);
            if (found.Equals(seen))
                return;
            seen = found;
        }
    }
}
