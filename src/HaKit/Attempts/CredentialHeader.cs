using HaKit.Dialects;

namespace HaKit.Attempts;

/// <summary>Finds the header for a credential.</summary>
internal static class CredentialHeader
{
    /// <summary>Checks whether a header of this name carries a credential.</summary>
    public static bool IsCredential(string name) => CredentialNames.Default.IsHeader(name);

    /// <summary>
    /// Gets the header in the endpoint's dialect. A credential that begins with <c>Bearer</c> goes to <c>Authorization</c> unchanged. If the endpoint declares no
    /// dialect, the host of a well-known provider decides about the header (<see cref="ProviderHosts"/>).
    /// </summary>
    /// <exception cref="InvalidOperationException">The credential has characters that are not allowed in a header. The message does not show it.</exception>
    /// <param name="endpoint">The endpoint.</param>
    /// <param name="secret">The credential.</param>
    /// <param name="sent">The address of the request. Google's interface below <c>/openai</c> has OpenAI's header. Null: the address of the endpoint.</param>
    public static (string Name, string Value) HeaderFor(PoolEndpoint endpoint, string secret, Uri? sent = null)
    {
        if (!IsValid(secret))
            throw new InvalidOperationException($"The credential of endpoint '{endpoint.Name}' {HasImpossibleCharacters}");
        var host = endpoint.CredentialHost is { Dialect: WireDialect.Gemini } && sent?.AbsolutePath.Contains("/openai/", StringComparison.OrdinalIgnoreCase) == true ? null : endpoint.CredentialHost;
        var place = PlaceOf(endpoint.Dialect, host, secret);
        return (place.Header, place.Prefix + secret);
    }

    /// <summary>Gets the place of a credential.</summary>
    /// <param name="declared">The declared dialect of the endpoint.</param>
    /// <param name="host">The host that decides about the header (<see cref="ProviderHosts.FindForCredential"/>). Null: the dialect decides.</param>
    /// <param name="secret">The credential.</param>
    public static CredentialPlace PlaceOf(WireDialect declared, ProviderHost? host, string secret)
    {
        if (secret.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase))
            return new CredentialPlace("Authorization");
        return host?.PlaceOf(secret) ?? DialectTable.Get(declared).Credential;
    }

    /// <summary>The end of a sentence about a credential that no header can carry.</summary>
    public const string HasImpossibleCharacters =
        "has characters that no header may have, such as a line break at its end, a long dash in place of a hyphen, or an invisible character. Remove them.";

    /// <summary>
    /// Checks that the credential is ASCII without control characters. With a line break one header could become two. HTTP clients refuse other characters in each
    /// request, and the pool would take this for a fault of the endpoint.
    /// </summary>
    public static bool IsValid(string secret) => !secret.AsSpan().ContainsAnyExceptInRange(' ', '~');
}
