namespace HaKit.Dialects;

/// <summary>
/// Contains the hosts of well-known providers: the dialects that a host supports, and the header for the keys of an endpoint that declares no dialect. Pure.
/// </summary>
internal static class ProviderHosts
{
    // The hosts of Anthropic, Mistral and Gemini support OpenAI's dialect too. The last two hosts of Azure also serve models of other providers, in the dialects
    // of these providers, so no dialect is foreign there.
    private static readonly ProviderHost[] s_rows =
    [
        new("api.openai.com", WireDialect.OpenAI, [WireDialect.OpenAI]),
        new("api.anthropic.com", WireDialect.Anthropic, [WireDialect.Anthropic, WireDialect.OpenAI]) { TokenStart = "sk-ant-oat" },
        new("api.mistral.ai", WireDialect.Mistral, [WireDialect.Mistral, WireDialect.OpenAI]),
        new("generativelanguage.googleapis.com", WireDialect.Gemini, [WireDialect.Gemini, WireDialect.OpenAI]) { TokenStart = "ya29." },
        new(".openai.azure.com", WireDialect.AzureOpenAI, [WireDialect.AzureOpenAI, WireDialect.OpenAI]),
        new(".cognitiveservices.azure.com", WireDialect.AzureOpenAI, []),
        new(".services.ai.azure.com", WireDialect.AzureOpenAI, []),
    ];

    /// <summary>Finds the row of an address. Null for any other host.</summary>
    /// <param name="address">The address of an endpoint.</param>
    public static ProviderHost? Find(Uri address)
    {
        var host = address.Host.AsSpan().TrimEnd('.');
        foreach (var row in s_rows)
        {
            if (row.IsNameOf(host))
                return row;
        }

        return null;
    }

    /// <summary>
    /// Finds the host that decides about the header of the credential. Null: the declared dialect decides, or no dialect is declared and the host is not known.
    /// </summary>
    /// <param name="declared">The declared dialect of the endpoint.</param>
    /// <param name="address">The address of the endpoint. Null: a client object serves the endpoint.</param>
    public static ProviderHost? FindForCredential(WireDialect declared, Uri? address)
    {
        if (declared != WireDialect.Unknown || address is null || Find(address) is not { } host)
            return null;
        // Gemini's interface for OpenAI clients is below /openai, and has OpenAI's header.
        return host.Dialect == WireDialect.Gemini && HasSegment(address, "openai") ? null : host;
    }

    private static bool HasSegment(Uri address, string name) =>
        Array.Exists(address.Segments, s => s.AsSpan().TrimEnd('/').Equals(name, StringComparison.OrdinalIgnoreCase));
}

/// <summary>Describes the host of a well-known provider. Immutable.</summary>
/// <param name="Name">The name of the host. If it begins with a dot, it stands for all hosts below it.</param>
/// <param name="Dialect">The provider's own dialect.</param>
/// <param name="Supported">The dialects that the host supports. Empty: any.</param>
internal sealed record ProviderHost(string Name, WireDialect Dialect, IReadOnlyList<WireDialect> Supported)
{
    /// <summary>
    /// Gets the beginning of the provider's access tokens, which need the header <c>Authorization</c>. Null: they are JSON Web Tokens, or there are none.
    /// </summary>
    public string? TokenStart { get; init; }

    /// <summary>Checks whether a host has this name.</summary>
    /// <param name="host">The host, without a dot at its end.</param>
    public bool IsNameOf(ReadOnlySpan<char> host) =>
        Name[0] == '.' ? host.Length > Name.Length && host.EndsWith(Name, StringComparison.OrdinalIgnoreCase) : host.Equals(Name, StringComparison.OrdinalIgnoreCase);

    /// <summary>
    /// Gets the header of a credential for an endpoint that declares no dialect: the provider's header for a key, <c>Authorization</c> for an access token.
    /// </summary>
    /// <param name="secret">The credential, without a scheme such as <c>Bearer</c>.</param>
    public CredentialPlace PlaceOf(string secret) => IsAccessToken(secret) ? new CredentialPlace("Authorization", "Bearer ") : DialectTable.Get(Dialect).Credential;

    // A JSON Web Token consists of three parts. The first part is a JSON object in Base64, so it begins with "eyJ".
    private bool IsAccessToken(string secret) =>
        secret.StartsWith("eyJ", StringComparison.Ordinal) && secret.AsSpan().Count('.') == 2 || TokenStart is not null && secret.StartsWith(TokenStart, StringComparison.Ordinal);
}
