using HaKit.Tool.Rehearsals;

namespace HaKit.Tool.Tests.Rehearsals;

public sealed class TraceTests
{
    private const string Header = "TIMESTAMP,ContextTokens,GeneratedTokens\n";

    [Fact]
    public void Arrivals_are_counted_from_the_first_line()
    {
        var trace = Read(Header + "2023-11-16 23:59:59.5000000,374,44\n2023-11-17 00:00:00,396,109\n2023-11-17 00:00:01.25,1,1000000\n");

        trace.Should().Equal(
            new Arrival(TimeSpan.Zero, 374, 44),
            new Arrival(TimeSpan.FromSeconds(0.5), 396, 109),
            new Arrival(TimeSpan.FromSeconds(1.75), 1, 1_000_000));
    }

    [Theory]
    [InlineData("2023-11-16 18:15:47,1", "2 fields where 3 are needed")]
    [InlineData("2023-11-16 18:15:47,1,2,3", "4 fields where 3 are needed")]
    [InlineData("", "1 fields where 3 are needed")]
    [InlineData("16.11.2023 18:15:47,1,2", "TIMESTAMP is not a time")]
    [InlineData("2023-02-30 18:15:47,1,2", "TIMESTAMP is not a time")]
    [InlineData(" 2023-11-16 18:15:47,1,2", "TIMESTAMP is not a time")]
    [InlineData("2023-11-16 18:15:45,1,2", "TIMESTAMP is earlier than in the line before")]
    [InlineData("2023-11-16 18:15:47,0,2", "ContextTokens is not a whole number from 1")]
    [InlineData("2023-11-16 18:15:47,1.5,2", "ContextTokens is not a whole number from 1")]
    [InlineData("2023-11-16 18:15:47,-1,2", "ContextTokens is not a whole number from 1")]
    [InlineData("2023-11-16 18:15:47,,2", "ContextTokens is not a whole number from 1")]
    [InlineData("2023-11-16 18:15:47,1000001,2", "ContextTokens is not a whole number from 1")]
    [InlineData("2023-11-16 18:15:47,1,99999999999", "GeneratedTokens is not a whole number from 1")]
    [InlineData("2023-11-16 18:15:47,1, 2", "GeneratedTokens is not a whole number from 1")]
    public void A_bad_line_is_refused_with_its_number(string line, string because)
    {
        var reading = () => Read($"{Header}2023-11-16 18:15:46.6805900,374,44\n{line}\n2023-11-16 18:15:48,1,1\n");

        reading.Should().Throw<UsageException>().Which.Message.Should().StartWith($"trace.csv, line 3: {because}");
    }

    [Fact]
    public void Every_bad_line_is_named_but_not_a_thousand_of_them()
    {
        var reading = () => Read(Header + string.Concat(Enumerable.Repeat("?\n", 1000)));

        reading.Should().Throw<UsageException>().Which.Message.Split(Environment.NewLine).Should().HaveCount(20).And.Contain(l => l.StartsWith("trace.csv, line 21:"));
    }

    [Fact]
    public void A_line_is_shown_without_what_would_move_the_cursor()
    {
        var reading = () => Read(Header + "\u001b[2J" + new string('x', 200) + "\n");

        reading.Should().Throw<UsageException>().Which.Message.Should().NotContain("\u001b").And.EndWith(new string('x', 76) + "…')", "80 characters are enough to find the line");
    }

    [Theory]
    [InlineData("")]
    [InlineData("ContextTokens,GeneratedTokens,TIMESTAMP\n1,1,2023-11-16 18:15:46\n")]
    public void A_file_with_another_header_is_refused(string text)
    {
        var reading = () => Read(text);

        reading.Should().Throw<UsageException>().Which.Message.Should().StartWith("trace.csv, line 1:");
    }

    [Theory]
    [InlineData("")]
    [InlineData("2023-11-16 18:15:46,1,1\n")]
    [InlineData("2023-11-16 18:15:46,1,1\n2023-11-16 18:15:46,1,1\n")]
    public void A_file_that_tells_no_time_is_refused(string lines)
    {
        var reading = () => Read(Header + lines);

        reading.Should().Throw<UsageException>().Which.Message.Should().Contain("at least two requests");
    }

    [Fact]
    public void Reading_ends_where_it_was_told_to()
    {
        var text = Header + "2023-11-16 18:00:00,1,1\n2023-11-16 18:01:00,2,2\n2023-11-16 18:01:00.0000001,3,3\nno more\n";

        Read(text, TimeSpan.FromMinutes(1)).Select(a => a.PromptTokens).Should().Equal(1, 2);
    }

    [Fact]
    public void The_real_trace_is_read_whole()
    {
        var file = Path.Combine(Repository.Root, "..", "shared", "data", "azure-llm-conv-2023.csv");
        Assert.SkipUnless(File.Exists(file), $"{file} is not here.");

        var trace = Trace.Read(file, TimeSpan.MaxValue);

        trace.Should().HaveCount(19_366).And.BeInAscendingOrder(a => a.At);
        trace[^1].At.Should().BeCloseTo(TimeSpan.FromHours(1), TimeSpan.FromMinutes(2));
    }

    private static IReadOnlyList<Arrival> Read(string text, TimeSpan? length = null)
    {
        using var reader = new StringReader(text);
        return Trace.Read(reader, "trace.csv", length ?? TimeSpan.MaxValue);
    }
}
