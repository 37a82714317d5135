using static HaKit.Availability.ReliabilityBlock;

namespace HaKit.Availability.Tests;

public sealed class ReliabilityBlockTests
{
    [Fact]
    public void Three_thousand_random_diagrams_agree_with_exact_fractions_in_both_parts()
    {
        var worst = 0.0;
        System.Threading.Tasks.Parallel.For(0, 3000, seed =>
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

    private static void InterlockedMax(ref double target, double value)
    {
        var seen = Volatile.Read(ref target);
        while (value > seen)
        {
            var found = Interlocked.CompareExchange(ref target, value, seen);
            if (found.Equals(seen)) return;
            seen = found;
        }
    }
}
