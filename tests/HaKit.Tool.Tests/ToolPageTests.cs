namespace HaKit.Tool.Tests;

public sealed class ToolPageTests
{
    private static readonly string Page = File.ReadAllText(Path.Combine(Repository.Root, "docs", "tool.md"));

    [Fact]
    public void The_page_has_a_section_for_each_command() =>
        Page.Split('\n').Where(l => l.StartsWith("## ", StringComparison.Ordinal)).Select(l => l[3..]).Should().BeEquivalentTo(Commands.All().Select(c => c.Name));

    [Fact]
    public void Every_line_that_it_shows_is_understood()
    {
        var lines = Page.Split('\n').Where(l => l.StartsWith("hakit ", StringComparison.Ordinal)).Select(l => l.Split(" #")[0].Trim()[6..]).ToArray();

        lines.Should().NotBeEmpty();
        foreach (var line in lines)
            HakitTool.Parse(line.Split(' ')).Errors.Should().BeEmpty("the page shows: hakit {0}", line);
    }
}
