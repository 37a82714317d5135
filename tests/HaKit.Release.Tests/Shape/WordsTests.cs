using System.Text.RegularExpressions;

namespace HaKit.Release.Tests.Shape;

/// <summary>
/// Sentences name their subject and use the words of the field, because many readers translate in their head. The patterns find only words that are wrong in almost
/// every sentence; a person has to find the rest.
/// </summary>
public sealed partial class WordsTests
{
    /// <summary>Evidence pages that a command writes from strings of the code.</summary>
    private static readonly string[] Generated = ["drill.md", "simulation-report.md", "survivors.md"];

    [Fact]
    public void Sources_and_pages_name_their_subjects() =>
        Lines().Where(l => Vague().IsMatch(Persons().Replace(l.Text, "")))
            .Select(static l => $"{l.At}: {l.Text}")
            .Should().BeEmpty("these words are for people, not for endpoints and calls");

    [Fact]
    public void Comments_and_pages_avoid_phrases_that_must_be_read_twice() =>
        Prose().SelectMany(static l => Heavy().Matches(l.Text).Select(m => $"{l.At}: '{m.Value.Trim()}' in: {l.Text}"))
            .Should().BeEmpty("name the things that are meant: 'the endpoints that failed', not 'those that failed' or 'what failed'");

    /// <summary>Messages and the help of commands are read by users, who see neither the comments nor the code around them.</summary>
    [Fact]
    public void Messages_and_help_avoid_phrases_that_must_be_read_twice() =>
        Messages().SelectMany(static l => Heavy().Matches(l.Text).Concat(Chatty().Matches(l.Text)).Select(m => $"{l.At}: '{m.Value.Trim()}' in: {l.Text}"))
            .Should().BeEmpty("a message names its subject, and a help begins with what the command does");

    [Theory]
    [InlineData("            Tells what other settings would have done to a recorded pool.", true)]
    [InlineData("            Exit code 0 when the report is complete, whatever it says.", true)]
    [InlineData("            What is damaged is left out and named.", true)]
    [InlineData("            Predicts the effect of other settings from a recording.", false)]
    public void Help_that_must_be_read_twice_is_found(string help, bool isFound) => (Heavy().IsMatch(help) || Chatty().IsMatch(help)).Should().Be(isFound);

    [Fact]
    public void Docstrings_say_what_a_member_does_and_ask_nothing() =>
        Prose().Where(static l => l.IsSource && Riddle().IsMatch(l.Text))
            .Select(static l => $"{l.At}: {l.Text}")
            .Should().BeEmpty("a summary begins with a verb (Gets, Returns, Creates) or names the thing; no comment asks a question or has a clause with 'What' as its subject");

    [Theory]
    [InlineData("/// <summary>What it did so far.</summary>", true)]
    [InlineData("/// <summary>Does it take ordinary traffic?</summary>", true)]
    [InlineData("/// Is the endpoint out?", true)]
    [InlineData("// What was sent is not sent again.", true)]
    [InlineData("// Answers are read. What they contain is kept.", true)]
    [InlineData("/// <summary>Gets whether the endpoint takes ordinary traffic.</summary>", false)]
    public void Riddles_are_found(string comment, bool isRiddle) => Riddle().IsMatch(comment).Should().Be(isRiddle);

    [Theory]
    [InlineData("// What it needs, whatever the answer is.", true)]
    [InlineData("// Refuses those that failed.", true)]
    [InlineData("// The count starts anew.", true)]
    [InlineData("// Those of the pool are read again.", false)]
    public void Heavy_phrases_are_found(string comment, bool isHeavy) => Heavy().IsMatch(comment).Should().Be(isHeavy);

    private static Line[] Lines()
    {
        var lines = LinesOf(Repository.Files("src", "*.cs").Concat(Repository.Files("docs", "*.md")));
        lines.Length.Should().BeGreaterThan(30_000, "the test has to read something");
        return lines;
    }

    private static Line[] LinesOf(IEnumerable<string> files) =>
        [.. files.SelectMany(static file => File.ReadLines(file).Select((line, i) => new Line($"{Path.GetFileName(file)}:{i + 1}", line.Trim(), !file.EndsWith(".md", StringComparison.Ordinal))))];

    /// <summary>The comments of sources and of the dashboard's scripts, and the text of pages without code in backticks.</summary>
    private static IEnumerable<Line> Prose() => Lines().Concat(LinesOf(Repository.Files("src", "*.js")))
        .Where(static l => !Generated.Any(g => l.At.StartsWith(g + ":", StringComparison.Ordinal)))
        .Select(static l => l with { Text = l.IsSource ? Comment().Match(l.Text).Value : Code().Replace(l.Text, "`") })
        .Where(static l => l.Text.Length > 0);

    /// <summary>The lines of sources without their comments.</summary>
    private static IEnumerable<Line> Messages() => Lines()
        .Where(static l => l.IsSource)
        .Select(static l => l with { Text = Comment().Replace(l.Text, "") })
        .Where(static l => l.Text.Contains(' ', StringComparison.Ordinal));

    [GeneratedRegex(@"\b(who|whoever|whom|somebody|nobody|anybody|everybody)\b", RegexOptions.IgnoreCase)]
    private static partial Regex Vague();

    [GeneratedRegex(@"\b(operator|operators|person|people|user|users|reader|readers|developers|authors|newcomer|newcomers) who\b", RegexOptions.IgnoreCase)]
    private static partial Regex Persons();

    [GeneratedRegex(@"\b(those (that|which)|whatever|anew|at hand|the own|be it|nought|naught|disposed of|but for being|herd|thereof|therein|thereby|hitherto|henceforth|as the other overload|of one's own)\b", RegexOptions.IgnoreCase)]
    private static partial Regex Heavy();

    [GeneratedRegex(@"\b(Tells (what|which|how|whether)|goes on where|in trouble)\b|(^|[.""] )\s*What (is|was|it|failed)\b")]
    private static partial Regex Chatty();

    [GeneratedRegex(@"^/// ((<(summary|returns|remarks)>)?(Is|Are|Has|Have|Does|Do|Did|Was|Were|Can|May|Must|Should) [^.]*\?|<(summary|returns|remarks)>(What|Its|Their) )|(// |[.:;] )What (?!if\b)")]
    private static partial Regex Riddle();

    // A comment at the start of a line or behind code. An address such as https://… is none.
    [GeneratedRegex(@"^///?.*|(?<=[;{}), ])// .*")]
    private static partial Regex Comment();

    [GeneratedRegex("`[^`]*`")]
    private static partial Regex Code();

    private readonly record struct Line(string At, string Text, bool IsSource);
}
