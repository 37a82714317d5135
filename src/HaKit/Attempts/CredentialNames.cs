namespace HaKit.Attempts;

/// <summary>
/// Decides by name which headers and query parameters carry a credential: the names that providers use, names that end with "key", "token", "secret" and
/// similar words, and the names that the pool's options add. Immutable.
/// </summary>
internal sealed class CredentialNames
{
    /// <summary>The rules without added names.</summary>
    public static readonly CredentialNames Default = new([]);

    private static readonly string[] s_headers = ["authorization", "cookie", "key", "token", "secret", "password", "signature"];
    private static readonly string[] s_parameters = ["key", "token", "secret", "password", "signature", "sig", "code", "auth", "authorization"];

    // Names in one word or in camel case, which have no separator before their last part.
    private static readonly string[] s_words =
    [
        "apikey", "accesskey", "accesskeyid", "secretkey", "subscriptionkey", "functionkey", "accesstoken", "authtoken", "idtoken", "bearertoken", "sessiontoken", "refreshtoken",
        "clientsecret", "sharedaccesssignature",
    ];

    private static readonly string[] s_endings = ["key", "token", "secret", "password", "signature", "credential", "credentials", "authorization", "auth", "cookie"];

    // These names look like credentials but are not. If they were removed, the request would mean something else.
    private static readonly string[] s_others =
        ["idempotency-key", "cache-key", "partition-key", "page-token", "next-token", "continuation-token", "sec-websocket-key"];

    private readonly string[] _added;

    /// <param name="added">Further names. A name that begins with <c>*</c> stands for all names that end with the rest of it.</param>
    public CredentialNames(IEnumerable<string> added) => _added = [.. added.Select(Plain)];

    /// <summary>Checks whether a header of this name carries a credential.</summary>
    public bool IsHeader(string name) => Is(Plain(name), s_headers);

    /// <summary>Checks whether a query parameter of this name carries a credential.</summary>
    public bool IsParameter(string name) => Is(Plain(name), s_parameters);

    /// <summary>Checks whether a query contains a credential.</summary>
    public bool IsIn(string query) => FindIn(query) is not null;

    /// <summary>Finds the first parameter with a credential in a query, with its value. Null if there is none.</summary>
    public string? FindIn(string query) => FindAllIn(query).FirstOrDefault();

    /// <summary>Checks whether a text is a part of one of a request's credentials, in its headers or its query.</summary>
    public bool HasPart(HttpRequestMessage request, string text)
    {
        foreach (var (name, values) in request.Headers.NonValidated)
        {
            if (IsHeader(name) && values.ToString().Contains(text, StringComparison.OrdinalIgnoreCase))
                return true;
        }

        return request.RequestUri is { IsAbsoluteUri: true } address && FindAllIn(address.Query).Any(part => part.Contains(text, StringComparison.OrdinalIgnoreCase));
    }

    private IEnumerable<string> FindAllIn(string query) => query.Length > 1 ? query[1..].Split('&').Where(part => IsParameter(NameOf(part))) : [];

    /// <summary>Gets the query without its credentials. All other bytes of the query stay the same.</summary>
    public string Without(string query)
    {
        if (!IsIn(query))
            return query;
        var rest = string.Join('&', query[1..].Split('&').Where(part => !IsParameter(NameOf(part))));
        return rest.Length > 0 ? "?" + rest : "";
    }

    private bool Is(string name, string[] whole)
    {
        foreach (var added in _added)
        {
            if (added.StartsWith('*') ? name.EndsWith(added[1..], StringComparison.Ordinal) : name == added)
                return true;
        }

        if (s_others.Any(other => EndsWithPart(name, other)))
            return false;
        return whole.Contains(name) || s_words.Any(word => name.EndsWith(word, StringComparison.Ordinal)) || s_endings.Any(ending => name.EndsWith("-" + ending, StringComparison.Ordinal));
    }

    private static bool EndsWithPart(string name, string part) => name == part || name.EndsWith("-" + part, StringComparison.Ordinal) || name == part.Replace("-", "", StringComparison.Ordinal);

    private static string NameOf(string part) => Uri.UnescapeDataString(part.Split('=', 2)[0].Replace('+', ' '));

    private static string Plain(string name) => name.Trim().ToLowerInvariant().Replace('_', '-').Replace('.', '-');
}
