namespace HaKit.Evidence;

/// <summary>
/// A page of docs/evidence is written by hand except for its figures, which stand between two marks. A run replaces only what stands between the marks
/// of its figures, so that what was written by hand about earlier runs stays. tests/page.py does the same for what a command prints.
/// </summary>
internal static class EvidencePage
{
    /// <summary>Replaces the figures of this name in the page.</summary>
    /// <exception cref="InvalidOperationException">The page has no place for them.</exception>
    public static void Write(string page, string name, string figures) => File.WriteAllText(page, Replace(File.ReadAllText(page), name, figures));

    /// <summary>The page with other figures of this name; everything else stays as it is.</summary>
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
