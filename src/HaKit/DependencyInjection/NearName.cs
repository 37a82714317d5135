namespace HaKit.DependencyInjection;

/// <summary>Finds the existing name that is most similar to a misspelt name. Pure.</summary>
internal static class NearName
{
    private const int Listed = 10;

    /// <summary>Gets a question to append to a message, for example <c> Did you mean 'Heartbeat'?</c>. Empty if no name is similar.</summary>
    /// <param name="name">The misspelt name.</param>
    /// <param name="names">The existing names.</param>
    public static string Hint(string name, IEnumerable<string> names)
    {
        // The name is longer than any setting, so it is not a typing mistake, and the comparison would be slow.
        if (name.Length > 40)
        {
            return "";
        }
        var allowed = Math.Max(1, name.Length / 4);
        var nearest = names.Select(n => (Name: n, Distance: Distance(name, n))).Where(n => n.Distance <= allowed).OrderBy(n => n.Distance).FirstOrDefault();
        return nearest.Name is null ? "" : $" Did you mean '{nearest.Name}'?";
    }

    /// <summary>Lists names in quotation marks. If there are more than ten names, lists the first ten and the number of the others.</summary>
    /// <param name="names">The names; at least one.</param>
    public static string List(IReadOnlyCollection<string> names) =>
        $"'{string.Join("', '", names.Take(Listed))}'{(names.Count > Listed ? $" and {names.Count - Listed} more" : "")}";

    // Counts the letters to insert, remove, replace or swap with their neighbour (optimal string alignment), ignoring case.
    private static int Distance(string one, string other)
    {
        var rows = new int[one.Length + 1, other.Length + 1];
        for (var i = 0; i <= one.Length; i++)
        {
            rows[i, 0] = i;
        }
        for (var j = 0; j <= other.Length; j++)
        {
            rows[0, j] = j;
        }
        for (var i = 1; i <= one.Length; i++)
        {
            for (var j = 1; j <= other.Length; j++)
            {
                var cost = Same(one[i - 1], other[j - 1]) ? 0 : 1;
                rows[i, j] = Math.Min(Math.Min(rows[i - 1, j], rows[i, j - 1]) + 1, rows[i - 1, j - 1] + cost);
                if (i > 1 && j > 1 && Same(one[i - 1], other[j - 2]) && Same(one[i - 2], other[j - 1]))
                {
                    rows[i, j] = Math.Min(rows[i, j], rows[i - 2, j - 2] + 1);
                }
            }
        }
        return rows[one.Length, other.Length];
    }

    private static bool Same(char one, char other) => char.ToUpperInvariant(one) == char.ToUpperInvariant(other);
}
