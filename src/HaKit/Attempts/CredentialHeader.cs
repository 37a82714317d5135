using HaKit.Dialects;

namespace HaKit.Attempts;

/// <summary>Finds the header for a credential.</summary>
internal static class CredentialHeader
{
    /// <summary>Checks whether a header of this name carries a credential.</summary>
    public static bool IsCredential(string name) => CredentialNames.Default.IsHeader(name);

    /// <summary>Gets the header in the endpoint's dialect. A credential that begins with <c>Bearer</c> goes to <c>Authorization</c> unchanged.</summary>
    /// <exception cref="InvalidOperationException">The credential has characters that are not allowed in a header. The message does not show it.</exception>
    public static (string Name, string Value) HeaderFor(PoolEndpoint endpoint, string secret)
    {
        if (!IsValid(secret))
            throw new InvalidOperationException($"The credential of endpoint '{endpoint.Name}' has characters that no header may have.");
        if (secret.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase))
            return ("Authorization", secret);
        var place = DialectTable.Get(endpoint.Dialect).Credential;
        return (place.Header, place.Prefix + secret);
    }

    /// <summary>Checks that the credential has no line breaks, with which one header could become two.</summary>
    public static bool IsValid(string secret) => secret.AsSpan().IndexOfAny("\r\n\0") < 0;
}
