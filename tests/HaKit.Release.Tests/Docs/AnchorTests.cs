using System.Text.RegularExpressions;

namespace HaKit.Release.Tests;

public sealed partial class AnchorTests
{
    public static TheoryData<string> Pages => SnippetTests.Pages;

    [Theory]
    [MemberData(nameof(Pages))]
    public void Every_link_into_a_page_leads_to_a_heading(string page)
    {
        var folder = Path.GetDirectoryName(page)!;
        var links = Link().Matches(Fence().Replace(Page.Text(page), "")).Select(m => m.Groups[1].Value).Where(l => l.Contains('#') && !l.Contains("://", StringComparison.Ordinal));
        links.Where(l => l.Split('#') is [var target, var anchor] && !Anchors(target.Length == 0 ? page : Path.Combine(folder, target)).Contains(anchor)).Should().BeEmpty();
    }

    private static HashSet<string> Anchors(string page) =>
        [.. Fence().Replace(Page.Text(page), "").Split('\n').Where(l => l.StartsWith('#')).Select(l => Page.Slug(l.TrimStart('#').Trim()))];

    [GeneratedRegex(@"^```.*?^```", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Fence();

    [GeneratedRegex(@"(?<!\))\[[^\]]+\]\(([^)\s]+)\)")]
    private static partial Regex Link();
}
