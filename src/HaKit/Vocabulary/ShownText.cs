namespace HaKit;

/// <summary>Decides which texts of a configuration or of a server may appear in a message. A key in a wrong place must not be written to a log.</summary>
internal static class ShownText
{
    private const int ShortestKey = 16, LongestName = 40, LongestFragment = 4;

    // The prefixes of well-known providers' keys.
    private static readonly string[] s_beginnings = ["sk-", "sk_", "pk-", "rk-", "gsk_", "xai-", "hf_", "nvapi-", "AIza", "eyJ", "ghp_", "r8_", "pplx-", "AKIA"];

    private static readonly System.Buffers.SearchValues<char> s_separators = System.Buffers.SearchValues.Create(" \t\r\n\u00A0,;\"'`");

    /// <summary>Returns an address without its user, password, query and fragment, and <c>…</c> instead of a text that looks like a key.</summary>
    public static string OfAddress(string address)
    {
        var text = address.AsSpan();
        var at = text.LastIndexOf('@');
        text = text[(at + 1)..];
        if (text.IndexOfAny('?', '#') is >= 0 and var end)
            text = text[..end];
        return (at >= 0 ? "…@" : "") + (HasKey(text) || !IsLikeAddress(text) ? "…" : text.ToString());
    }

    /// <summary>Checks whether a name may be shown. A name with unusual characters, or with a part that looks like a key, may not be shown.</summary>
    public static bool IsName(ReadOnlySpan<char> name)
    {
        if (name.Length > LongestName || HasKey(name))
            return false;
        foreach (var c in name)
        {
            if (!char.IsLetterOrDigit(c) && c is not ('-' or '_' or '.' or '/'))
                return false;
        }
        return true;
    }

    // A single word in the place of an address may be a key, even if it is short.
    private static bool IsLikeAddress(ReadOnlySpan<char> text) => text.Length <= LongestFragment || text.IndexOfAny("./:") >= 0 || text.Equals("localhost", StringComparison.OrdinalIgnoreCase);

    /// <summary>
    /// Checks whether a text looks like a key: it has the prefix of a well-known provider's keys, or contains a long word with digits. The names of hosts and
    /// settings, and error codes, have shorter words or no digits.
    /// </summary>
    public static bool HasKey(ReadOnlySpan<char> text)
    {
        if (BeginsAsKey(text))
            return true;
        var (length, digits) = (0, 0);
        foreach (var c in text)
        {
            var isOfWord = char.IsLetterOrDigit(c) || c is '-' or '_' or '+' or '=';
            (length, digits) = isOfWord ? (length + 1, digits + (char.IsDigit(c) ? 1 : 0)) : (0, 0);
            if (length >= ShortestKey && digits > 0)
                return true;
        }
        return false;
    }

    /// <summary>Returns a name of the configuration, or <c>…</c> if a part of it begins like a key.</summary>
    public static string OfLabel(string label) => HasWordLikeKey(label) ? "…" : label;

    /// <summary>Checks whether any part of a text begins like a key. White space, commas and quotation marks separate the parts.</summary>
    /// <param name="text">The text.</param>
    /// <param name="shortest">The number of characters that such a part has at least.</param>
    public static bool HasWordLikeKey(ReadOnlySpan<char> text, int shortest = 0)
    {
        foreach (var part in text.SplitAny(s_separators))
        {
            if (text[part].Length >= shortest && BeginsAsKey(text[part]))
                return true;
        }
        return false;
    }

    /// <summary>Checks whether a text has the prefix of a well-known provider's keys.</summary>
    public static bool BeginsAsKey(ReadOnlySpan<char> text)
    {
        foreach (var beginning in s_beginnings)
        {
            if (text.StartsWith(beginning, StringComparison.Ordinal))
                return true;
        }
        return false;
    }
}
