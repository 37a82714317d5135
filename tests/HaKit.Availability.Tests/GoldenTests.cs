using System.Globalization;

namespace HaKit.Availability.Tests;

public sealed class GoldenTests
{
    public static TheoryData<string> Ids => [.. GoldenRow.All.Select(row => row.Id)];

    [Theory]
    [MemberData(nameof(Ids))]
    public void Every_row_of_the_table_is_met(string id)
    {
        var row = GoldenRow.All.Single(r => r.Id == id);
        GoldenFunctions.All.Should().ContainKey(row.Function, "a row of an unknown function is a failure, not a skip");

        var actual = GoldenFunctions.All[row.Function](row);

        if (row.Expected is "never" or "unreachable")
        {
            actual.Should().BeNull(row.ToString());
            return;
        }

        var expected = double.Parse(row.Expected, CultureInfo.InvariantCulture);
        actual.Should().NotBeNull(row.ToString());
        (Math.Abs(actual!.Value - expected) / Math.Abs(expected)).Should().BeLessThanOrEqualTo(
            GoldenFunctions.Tolerance(row.Function), "{0}, but was {1:R}", row, actual.Value);
    }

    [Fact]
    public void The_table_is_read_whole()
    {
        var lines = File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "data", "availability-golden.csv"));
        GoldenRow.All.Should().HaveCount(lines.Count(line => line.Length > 0) - 1).And.OnlyHaveUniqueItems(row => row.Id);
        GoldenRow.All.Should().HaveCountGreaterThan(100);
    }

    [Fact]
    public void The_limit_is_told_with_an_unreachable_target()
    {
        var answer = Planner.EndpointsFor(AvailabilityRatio.From(0.99m), AvailabilityRatio.From(0.9999m), beta: 0.1);
        answer.IsReachable.Should().BeFalse();
        answer.Reached.Should().Be(AvailabilityRatio.From(0.999m));
    }
}
