using HaKit.Evidence;

namespace HaKit.Tool.Tests.WhatIf;

/// <summary>A run that writes figures keeps the text that was written by hand.</summary>
public sealed class EvidencePageTests
{
    [Fact]
    public void A_run_of_what_if_keeps_the_chapter_that_was_written_by_hand()
    {
        var page = File.ReadAllText(Path.Combine(Repository.Root, "docs", "evidence", "what-if.md"));
        var written = EvidencePage.Replace(EvidencePage.Replace(page, "summary", "new summary\n"), "worlds", "new worlds");
        var (begin, end) = (page.IndexOf("## The misses", StringComparison.Ordinal), page.IndexOf("<!-- figures: worlds -->", StringComparison.Ordinal));
        written.Should().Contain(page[begin..end]).And.Contain("\nnew summary\n").And.Contain("\nnew worlds\n").And.NotContain("Held-out worlds");
        EvidencePage.Replace(written, "worlds", "new worlds").Should().Be(written, "a second run changes nothing");
    }

    [Theory]
    [InlineData("a page without marks")]
    [InlineData("<!-- end of figures: worlds -->\n<!-- figures: worlds -->\n")]
    public void A_page_without_a_place_for_figures_is_refused(string page) =>
        FluentActions.Invoking(() => EvidencePage.Replace(page, "worlds", "new")).Should().Throw<InvalidOperationException>().WithMessage("*figures: worlds*");

    [Fact]
    public void Every_place_for_figures_has_a_beginning_and_an_end()
    {
        foreach (var file in Directory.GetFiles(Path.Combine(Repository.Root, "docs", "evidence"), "*.md"))
        {
            var page = File.ReadAllText(file);
            foreach (System.Text.RegularExpressions.Match mark in System.Text.RegularExpressions.Regex.Matches(page, "<!-- (?:end of )?figures: (.+) -->"))
                EvidencePage.Replace(page, mark.Groups[1].Value, "x").Should().NotBe(page, "{0} in {1}", mark.Groups[1].Value, file);
        }
    }
}
