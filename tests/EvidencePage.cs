namespace HaKit.Evidence;

/// <summary>
/// Replaces figures on a page of docs/evidence. The page is written by hand, except for its figures, which are between two marks. A run replaces only the text
/// between the marks of its figures, so the text about earlier runs is kept. tests/page.py does the same for the output of a command.
/// </summary>
internal static class EvidencePage
{
    /// <summary>Replaces the figures of this name in the page.</summary>
    /// <exception cref="InvalidOperationException">The page has no place for them.</exception>
    public static void Write(string page, string name, string figures) => File.WriteAllText(page, Replace(File.ReadAllText(page), name, figures));

    /// <summary>Gets the page with new figures of this name. All other text stays the same.</summary>
    public static string Replace(string page, string name, string figures)
    {
        var (begin, end) = ($"<!-- figures: {name} -->\n", $"<!-- end of figures: {name} -->");
        var from = page.IndexOf(begin, StringComparison.Ordinal);
        var to = page.IndexOf(end, StringComparison.Ordinal);
        if (from < 0 || to < from)
            throw new InvalidOperationException($"The page has no place for figures: '{begin.Trim()}' and '{end}' are missing or in the wrong order.");
        return string.Concat(page.AsSpan(0, from + begin.Length), figures.Trim('\n'), "\n", page.AsSpan(to));
    }
}
