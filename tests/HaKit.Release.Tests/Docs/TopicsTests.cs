using System.Text.RegularExpressions;

namespace HaKit.Release.Tests;

/// <summary>The alphabetical list of topics leads to every page and every section. (AnchorTests checks that its targets exist.)</summary>
public sealed partial class TopicsTests
{
    private const string Topics = "docs/topics.md";

    private static readonly string[] Lines = Page.Text(Topics).Split('\n');

    [Fact]
    public void Every_line_is_a_heading_or_terms_with_their_places() =>
        Lines.Skip(4).Where(static line => line.Length > 0 && !line.StartsWith("## ", StringComparison.Ordinal) && !Entry().IsMatch(line)).Should().BeEmpty();

    [Fact]
    public void Entries_are_in_alphabetical_order()
    {
        var keys = Entries().Select(static entry => Key(entry.Groups[1].Value)).ToArray();
        keys.Should().HaveCountGreaterThan(250, "a scan that sees nothing would find every order right");
        keys.Should().BeInAscendingOrder(StringComparer.Ordinal).And.OnlyHaveUniqueItems();
    }

    [Fact]
    public void Every_entry_is_below_its_letter()
    {
        var letter = "";
        foreach (var line in Lines)
        {
            if (line.StartsWith("## ", StringComparison.Ordinal))
                letter = line[3..];
            else if (Entry().Match(line) is { Success: true } entry)
                (char.IsAsciiDigit(Key(entry.Groups[1].Value)[0]) ? "0 to 9" : Key(entry.Groups[1].Value)[..1].ToUpperInvariant()).Should().Be(letter, "{0}", line);
        }
    }

    [Fact]
    public void Every_page_has_an_entry()
    {
        var targets = Targets().Select(static target => target.Split('#')[0]).ToHashSet();
        Repository.Files("docs", "*.md").Select(static file => Relative(file)).Where(page => page != "topics.md" && !targets.Contains(page)).Should().BeEmpty();
    }

    [Fact]
    public void Every_section_of_a_guide_has_an_entry()
    {
        var targets = Targets().ToHashSet();
        var sections = Directory.GetFiles(Repository.PathOf("docs"), "*.md").Select(static file => Relative(file)).Where(static page => page != "topics.md").SelectMany(Sections).ToArray();
        sections.Should().HaveCountGreaterThan(150);
        sections.Where(section => !targets.Contains(section)).Should().BeEmpty("a reader searches docs/topics.md for a word, and should find this section");
    }

    private static IEnumerable<Match> Entries() => Lines.Select(static line => Entry().Match(line)).Where(static match => match.Success);

    private static IEnumerable<string> Targets() => Entries().SelectMany(static entry => Target().Matches(entry.Groups[2].Value)).Select(static match => match.Groups[1].Value);

    private static IEnumerable<string> Sections(string page) =>
        Fence().Replace(Page.Text("docs/" + page), "").Split('\n').Where(static line => line.StartsWith("## ", StringComparison.Ordinal)).Select(line => $"{page}#{Page.Slug(line[3..].Trim())}");

    private static string Relative(string file) => Path.GetRelativePath(Repository.PathOf("docs"), file).Replace(Path.DirectorySeparatorChar, '/');

    // The words of the terms, without backticks and other signs.
    private static string Key(string terms) => NoWord().Replace(terms.ToLowerInvariant(), "").Trim();

    [GeneratedRegex(@"^- (.+?): (\[[^\]]+\]\([^)\s]+\)(?:, \[[^\]]+\]\([^)\s]+\)){0,2})$")]
    private static partial Regex Entry();

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Target();

    [GeneratedRegex(@"^```.*?^```", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Fence();

    [GeneratedRegex("[^a-z0-9 ]")]
    private static partial Regex NoWord();
}
