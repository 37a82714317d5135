using System.Text.RegularExpressions;

namespace HaKit.Release.Tests;

public sealed partial class SnippetTests
{
    public static TheoryData<string> Pages => [.. Directory.GetFiles(Repository.PathOf("docs"), "*.md", SearchOption.AllDirectories)
        .Append(Repository.PathOf("README.md")).Append(Repository.PathOf("CONTRIBUTING.md")).Where(File.Exists)
        .Select(f => Path.GetRelativePath(Repository.Root, f)).Order(StringComparer.Ordinal)];

    private static readonly Lazy<string[]> Sources = new(() =>
    [
        .. Directory.GetFiles(Repository.PathOf("tests"), "*.cs", SearchOption.AllDirectories)
            .Where(f => !f.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
            .Select(f => Bare(File.ReadAllText(f))),
    ]);

    [Theory]
    [MemberData(nameof(Pages))]
    public void Every_snippet_of_code_on_a_page_is_compiled_in_a_test(string page)
    {
        // Each block of this page is a whole file, which RecipePageTests builds from the packages without changes.
        if (page == Path.Combine("docs", "recipes.md"))
            return;
        var text = File.ReadAllText(Repository.PathOf(page));
        Fence().Matches(text).Where(m => m.Groups[1].Value == "csharp").Select(m => m.Groups[2].Value.TrimEnd())
            .Where(code => !IsCompiled(code)).Should().BeEmpty("readers copy what stands on {0}", page);
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void Every_link_on_a_page_leads_somewhere(string page)
    {
        var folder = Path.GetDirectoryName(Repository.PathOf(page))!;
        var text = Fence().Replace(File.ReadAllText(Repository.PathOf(page)), "");
        Link().Matches(text).Select(m => m.Groups[1].Value).Where(l => !l.Contains("://", StringComparison.Ordinal) && !l.StartsWith('#'))
            .Where(l => !Path.Exists(Path.Combine(folder, l.Split('#')[0]))).Should().BeEmpty();
    }

    // Each paragraph of a block is in one file of the tests, without changes.
    private static bool IsCompiled(string code) =>
        Paragraph().Split(code).Select(Bare).ToArray() is var paragraphs && Sources.Value.Any(s => paragraphs.All(p => s.Contains(p, StringComparison.Ordinal)));

    // Indentation, empty lines, regions and comments are ignored. A line must be the same as a whole.
    private static string Bare(string code) =>
        '\n' + string.Join('\n', code.Split('\n').Select(l => Comment().Replace(l, "").Trim()).Where(l => l.Length > 0 && !l.StartsWith('#'))) + '\n';

    [GeneratedRegex(@"(?<!:)//.*$")]
    private static partial Regex Comment();

    [GeneratedRegex(@"\n[ \t]*\n")]
    private static partial Regex Paragraph();

    [GeneratedRegex(@"^```(\w*)[^\n]*\n(.*?)^```", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Fence();

    [GeneratedRegex(@"(?<!\))\[[^\]]+\]\(([^)\s]+)\)")]
    private static partial Regex Link();
}
