using System.Text.RegularExpressions;

namespace HaKit;

/// <summary>
/// Recognises a placeholder in the place of a key, a host or a model, which was copied from a page or comes from an unfilled template: <c>&lt;key&gt;</c>,
/// <c>YOUR_API_KEY</c>, <c>${KEY}</c>, <c>changeme</c>, <c>sk-...</c>. Words such as EMPTY, none and dummy are not placeholders, because self-hosted servers
/// accept any key. Pure.
/// </summary>
internal static partial class Placeholder
{
    // A text that is longer than this is not a placeholder, even if it contains such words: it may be a real key.
    private const int LongestWords = 60;

    // The words after "your" in placeholders. The list is needed because the name of a company may also begin with "your".
    private static readonly HashSet<string> s_things = new(StringComparer.OrdinalIgnoreCase)
    {
        "account", "address", "api", "app", "azure", "base", "company", "custom", "deployment", "domain", "endpoint", "foundry", "gateway", "gpu", "host", "hostname", "instance", "ip",
        "key", "model", "name", "ollama", "openai", "org", "organization", "project", "proxy", "region", "resource", "secret", "server", "service", "site", "subdomain", "tenant", "token",
        "unique", "vllm", "workspace",
    };

    private static readonly HashSet<string> s_wholeSecrets = new(StringComparer.OrdinalIgnoreCase)
    {
        "changeme", "changethis", "replaceme", "replacethis", "placeholder", "todo", "tbd", "fixme", "undefined", "null", "yourkey", "yourapikey", "yoursecret", "yourtoken", "yourkeyhere",
        "yourapikeyhere", "apikeyhere", "keyhere", "insertkeyhere", "insertapikeyhere", "enterkeyhere", "mysecretkeyhere",
    };

    private static readonly System.Buffers.SearchValues<char> s_variableCharacters = System.Buffers.SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");

    private static readonly string[] s_schemes = ["Bearer ", "Basic ", "Token ", "ApiKey ", "Key "];

    // The prefixes of an environment variable in configurations of other tools.
    private static readonly string[] s_readers = ["process.env.", "os.environ/", "env:", "env.", "env/", "$env:"];

    // References in braces that other tools replace.
    private static readonly string[] s_bracedReaders = ["{env:", "{file:", "{secret:"];

    private static readonly string[] s_firstWords = ["replace", "insert", "enter", "paste", "change"];

    private static readonly string[] s_pronouns = ["me", "this", "it", "your"];

    /// <summary>Removes the scheme before the key in a header, such as <c>Bearer</c>.</summary>
    public static string WithoutScheme(string value)
    {
        var text = value.TrimStart();
        foreach (var scheme in s_schemes)
        {
            if (text.StartsWith(scheme, StringComparison.OrdinalIgnoreCase) || text.AsSpan().Equals(scheme.AsSpan(0, scheme.Length - 1), StringComparison.OrdinalIgnoreCase))
                return text[(scheme.Length - 1)..].Trim();
        }
        return text.Trim();
    }

    /// <summary>Checks for a placeholder in place of a key. A scheme before it is skipped.</summary>
    public static bool IsSecret(string value)
    {
        var text = WithoutScheme(value);
        if (IsTemplate(text) || text.Contains("...", StringComparison.Ordinal) || text.Contains('…', StringComparison.Ordinal) || text.Contains("@Microsoft.KeyVault(", StringComparison.OrdinalIgnoreCase))
            return true;
        if (text.Length is 0 or > LongestWords)
            return false;
        return s_wholeSecrets.Contains(string.Concat(text.Where(char.IsLetterOrDigit))) || IsMasked(text) || IsVariable(text) || HasWords(text) || IsToken(text);
    }

    /// <summary>Checks for a placeholder in place of a name, such as the name of a model.</summary>
    public static bool IsName(string name) => IsBracketed(name.Trim()) || SaysYour(Words(name)) || IsRun(name.Trim());

    /// <summary>Checks for a placeholder in an address. <c>{model}</c> is not such a placeholder, because the pool replaces it with the model's name.</summary>
    public static bool IsInAddress(string address)
    {
        var text = address.Replace("{model}", "", StringComparison.OrdinalIgnoreCase).Replace("%7Bmodel%7D", "", StringComparison.OrdinalIgnoreCase);
        return IsTemplate(text) || text.Split(['/', '.', '?', '&', '=', ':', '@'], StringSplitOptions.RemoveEmptyEntries).Any(part => SaysYour(Words(part)) || IsRun(part));
    }

    /// <summary>Checks for brackets or a variable that a template should have replaced: <c>&lt;key&gt;</c>, <c>{key}</c>, <c>${KEY}</c>, <c>$(KEY)</c>, <c>%KEY%</c>.</summary>
    /// <remarks>JSON, which some gateways expect in a header, and a GUID in braces are values and no placeholders.</remarks>
    public static bool IsTemplate(string text) =>
        Bracketed().Matches(text).Any(static match => !Guid.TryParse(match.ValueSpan, out _)) || text.Contains("$(", StringComparison.Ordinal)
        || text is ['%', _, .., '%'] && IsVariableName(text.AsSpan(1, text.Length - 2));

    // A real key may begin and end with "%", but it usually has digits and letters of both cases.
    private static bool IsVariableName(ReadOnlySpan<char> name) => !name.ContainsAnyExcept(s_variableCharacters)
        && !(name.ContainsAnyInRange('a', 'z') && name.ContainsAnyInRange('A', 'Z') && name.ContainsAnyInRange('0', '9'));

    // <deployment>, {deployment}, ${DEPLOYMENT}: a name that only has brackets somewhere may be a real one.
    private static bool IsBracketed(string text)
    {
        var inner = text is ['$', '{', ..] ? text.AsSpan(1) : text;
        return inner is ['<', .., '>'] or ['{', .., '}'] && inner[1..^1].IndexOfAny("<>{}") < 0;
    }

    private static string[] Words(string text) => text.Split(['-', '_', ' '], StringSplitOptions.RemoveEmptyEntries);

    // YOUR-RESOURCE, your_api_key, sk-your-key
    private static bool SaysYour(string[] words)
    {
        for (var i = 0; i + 1 < words.Length; i++)
        {
            if (words[i].Equals("your", StringComparison.OrdinalIgnoreCase) && s_things.Contains(words[i + 1]))
                return true;
        }
        return false;
    }

    // replace-with-key, change_me, api key here: an instruction with a word for the thing ("key", "me"). An instruction without such a word ("enter-sandman") may
    // be a real key.
    private static bool HasWords(string text)
    {
        var words = Words(text);
        var isOrder = words.Length > 1 && (s_firstWords.Contains(words[0], StringComparer.OrdinalIgnoreCase) || words[^1].Equals("here", StringComparison.OrdinalIgnoreCase));
        return SaysYour(words) || isOrder && words.Any(static w => s_things.Contains(w) || s_pronouns.Contains(w, StringComparer.OrdinalIgnoreCase));
    }

    // The name of an environment variable in place of its value: OPENAI_API_KEY, $OPENAI_API_KEY, env:OPENAI_API_KEY, process.env.OPENAI_API_KEY.
    private static bool IsVariable(string text)
    {
        var name = s_readers.FirstOrDefault(r => text.StartsWith(r, StringComparison.OrdinalIgnoreCase)) is { } reader ? text[reader.Length..] : null;
        return name is { Length: > 1 } && name.All(static c => char.IsAsciiLetterOrDigit(c) || c == '_') && name.Any(char.IsAsciiLetter) || IsNameOfVariable(text.StartsWith('$') ? text[1..] : text);
    }

    private static bool IsNameOfVariable(string text) =>
        text.All(static c => char.IsAsciiLetterUpper(c) || c == '_') && (text.EndsWith("_KEY", StringComparison.Ordinal) || text.EndsWith("_TOKEN", StringComparison.Ordinal) || text.EndsWith("_SECRET", StringComparison.Ordinal));

    // [YOUR_API_KEY], __OPENAI_KEY__ (a step of a release pipeline replaces it), {env:OPENAI_API_KEY}
    private static bool IsToken(string text)
    {
        if (text is ['[', _, .., ']'])
            return text.AsSpan(1, text.Length - 2).IndexOfAnyExcept(s_variableCharacters) < 0 || HasWords(text[1..^1]);
        if (text.Length > 4 && text.StartsWith("__", StringComparison.Ordinal) && text.EndsWith("__", StringComparison.Ordinal))
            return IsVariableName(text.AsSpan(2, text.Length - 4));
        return text.EndsWith('}') && s_bracedReaders.Any(r => text.StartsWith(r, StringComparison.OrdinalIgnoreCase));
    }

    // xxx, sk-xxxxxxxx, sk-ant-****
    private static bool IsMasked(string text)
    {
        var parts = text.Split(['-', '_'], StringSplitOptions.RemoveEmptyEntries);
        return parts.Length > 0 && IsRun(parts[^1]) && parts.All(static p => p.Length <= 5 || IsRun(p));
    }

    private static bool IsRun(string text) => text.Length >= 3 && (text.All(static c => c is 'x' or 'X') || text.All(static c => c == '*'));

    // A name in brackets: "<your key>", "{key}", and everything in "${…}".
    [GeneratedRegex(@"<[\w .-]*[A-Za-z][\w .-]*>|\{[\w .-]*[A-Za-z][\w .-]*\}|\$\{[^{}]+\}")]
    private static partial Regex Bracketed();
}
