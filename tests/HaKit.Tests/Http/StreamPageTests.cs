using System.Text.RegularExpressions;
using HaKit.Dialects;

namespace HaKit.Tests.Http;

/// <summary>The tables of docs/streams.md agree with the code.</summary>
public sealed partial class StreamPageTests
{
    private static readonly string s_page = File.ReadAllText(Path.Combine(Root(), "docs", "streams.md"));

    [Fact]
    public void The_table_of_events_is_the_codes() =>
        Rows("Events").Select(r => (r[0].Trim('`'), r[1])).Should().Equal(StreamEvents.Rows.Select(r => (r.Name, r.Meaning.ToString())));

    [Fact]
    public void Every_finish_reason_of_the_table_means_what_it_says()
    {
        foreach (var row in Rows("Finish reasons"))
        {
            foreach (Match reason in Code().Matches(row[1]))
                FinishReasons.MeaningOf(reason.Groups[1].Value).ToString().Should().Be(row[0], reason.Value);
        }
    }

    [Theory]
    [InlineData("", FinishMeaning.None)]
    [InlineData("Stop", FinishMeaning.End)]
    [InlineData("completed", FinishMeaning.End)]
    [InlineData("something_new", FinishMeaning.End)]
    [InlineData("gpu_failure", FinishMeaning.Failure)]
    [InlineData("upstreamDisconnected", FinishMeaning.Failure)]
    [InlineData("worker-crashed", FinishMeaning.Failure)]
    [InlineData("content_filter_error", FinishMeaning.Filter)]
    [InlineData("incomplete", FinishMeaning.Failure)]
    [InlineData("insufficient_memory", FinishMeaning.Failure)]
    [InlineData("insufficient_length", FinishMeaning.End)]
    [InlineData("repetition_truncation", FinishMeaning.End)]
    [InlineData("CUDA error: an illegal memory access was encountered; kernel errors might be reported at some other call", FinishMeaning.Failure)]
    [InlineData("The answer was stopped by the content filter of this deployment; see the documentation of the service", FinishMeaning.Filter)]
    [InlineData("The model has said what it had to say, and then it has ended its turn in the way that its makers intended", FinishMeaning.End)]
    public void A_reason_that_no_table_has_is_judged_by_its_words(string reason, FinishMeaning meaning) => FinishReasons.MeaningOf(reason).Should().Be(meaning);

    private static IEnumerable<string[]> Rows(string heading)
    {
        var section = s_page[s_page.IndexOf($"## {heading}\n", StringComparison.Ordinal)..];
        return section.Split('\n').SkipWhile(l => !l.StartsWith("|---", StringComparison.Ordinal)).Skip(1).TakeWhile(l => l.StartsWith('|'))
            .Select(l => l.Trim('|').Split('|').Select(c => c.Trim()).ToArray());
    }

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "HaKit.sln")))
            folder = folder.Parent!;
        return folder.FullName;
    }

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Code();
}
