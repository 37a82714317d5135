using HaKit.Tool.Planning;

namespace HaKit.Tool.Tests.Planning;

public sealed class IncidentsTests
{
    private const string Heading = "start,end,service,impact,incident\n";
    private static readonly DateTimeOffset Day = new(2024, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("x,2024-01-01T02:00:00Z,a,1,i", "line 3: 'x' is no start time")]
    [InlineData("2024-01-01T01:00:00Z,,a,1,i", "line 3: '' is no end time")]
    [InlineData("2024-01-01T03:00:00Z,2024-01-01T02:00:00Z,a,1,i", "line 3: the end lies before the start")]
    [InlineData("2024-01-01T01:00:00Z,2024-01-01T02:00:00Z,,1,i", "line 3: the service is missing")]
    [InlineData("2024-01-01T01:00:00Z,2024-01-01T02:00:00Z,a,-1,i", "line 3: '-1' is no impact")]
    [InlineData("2024-01-01T01:00:00Z,2024-01-01T02:00:00Z", "line 3: 2 fields are too few")]
    [InlineData("2024-01-01T01:00:00Z,2024-01-01T02:00:00Z,\"a\",1,i", "line 3: fields in quotation marks cannot be read")]
    public void A_bad_line_is_refused_with_its_number(string line, string message) =>
        Reading(Heading + "2024-01-01T01:00:00Z,2024-01-01T02:00:00Z,a,1,i\n" + line).Should().Throw<FormatException>().WithMessage(message);

    [Fact]
    public void A_file_without_its_heading_or_without_lines_is_refused()
    {
        Reading("start,end,impact\n").Should().Throw<FormatException>().WithMessage("line 1: the heading must name start, end, service, impact");
        Reading("").Should().Throw<FormatException>().WithMessage("line 1: the file is empty");
    }

    [Fact]
    public void Columns_may_stand_in_any_order_and_empty_lines_between()
    {
        var incidents = Incidents.Read(new StringReader("impact,service,end,start\n\n2,a,2024-01-01T02:00:00Z,2024-01-01T01:00:00Z\n"));
        incidents.Should().Equal(new Incident(Day.AddHours(1), Day.AddHours(2), "a", 2));
    }

    [Fact]
    public void Overlapping_incidents_are_one_outage_and_what_lies_outside_is_cut_off()
    {
        Incident[] incidents =
        [
            new(Day.AddHours(-5), Day.AddHours(1), "a", 1), new(Day.AddHours(10), Day.AddHours(14), "a", 1), new(Day.AddHours(11), Day.AddHours(12), "a", 3),
            new(Day.AddHours(14), Day.AddHours(15), "a", 2), new(Day.AddHours(16), Day.AddHours(17), "a", 0), new(Day.AddHours(23), Day.AddHours(30), "a", 1),
            new(Day.AddHours(3), Day.AddHours(4), "b", 0),
        ];

        var histories = Incidents.ToHistories(incidents, minimumImpact: 1, Day, Day.AddDays(1));

        histories.Select(h => h.Service).Should().Equal("a", "b");
        var a = histories[0].History.Summarize(TimeSpan.FromDays(1));
        a.Outages.Select(o => (o.Start.TotalHours, o.End.TotalHours)).Should().Equal((0, 1), (10, 15), (23, 24));
        a.Downtime.Should().Be(TimeSpan.FromHours(7));
        a.IsUp.Should().BeFalse("the last one goes on");
        histories[1].History.Summarize(TimeSpan.FromDays(1)).Failures.Should().Be(0);
    }

    private static Action Reading(string text) => () => Incidents.Read(new StringReader(text));
}
