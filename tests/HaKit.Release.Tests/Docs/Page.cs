using System.Text.RegularExpressions;

namespace HaKit.Release.Tests;

/// <summary>Reads a page.</summary>
internal static partial class Page
{
    public static string Text(string page) => File.ReadAllText(Repository.PathOf(page.Split('/')));

    public static IReadOnlyList<string> Blocks(string page, string language) =>
        [.. Fence().Matches(Text(page)).Where(m => m.Groups[1].Value == language).Select(m => m.Groups[2].Value)];

    /// <summary>Gets the lines under a heading, up to the next heading.</summary>
    public static string[] Section(string page, string heading)
    {
        var lines = Text(page).Split('\n');
        var start = Array.FindIndex(lines, l => l.StartsWith('#') && l.TrimStart('#', ' ') == heading);
        start.Should().BeGreaterThanOrEqualTo(0, "{0} has a section '{1}'", page, heading);
        return [.. lines.Skip(start + 1).TakeWhile(l => !l.StartsWith('#'))];
    }

    /// <summary>Gets the rows of the first table under a heading, without the head and without backquotes.</summary>
    public static string[][] Table(string page, string heading) =>
    [
        .. Section(page, heading).SkipWhile(l => !l.StartsWith('|')).TakeWhile(l => l.StartsWith('|')).Skip(2)
            .Select(l => l.Trim('|', ' ').Split('|').Select(c => c.Replace("`", "").Trim()).ToArray()),
    ];

    /// <summary>Gets the anchor of a heading as GitHub makes it: lower case, without punctuation, and with hyphens for spaces.</summary>
    public static string Slug(string heading) =>
        new([.. heading.ToLowerInvariant().Where(c => char.IsLetterOrDigit(c) || c is ' ' or '-' or '_').Select(c => c == ' ' ? '-' : c)]);

    [GeneratedRegex(@"^```(\w*)[^\n]*\n(.*?)^```", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Fence();
}
