using HaKit.Dialects;

namespace HaKit.Attempts;

/// <summary>Where a credential goes on the wire.</summary>
internal static class CredentialHeader
{
    /// <summary>Does a header of this name carry a credential?</summary>
    public static bool IsCredential(string name) => CredentialNames.Default.IsHeader(name);

    /// <summary>The header in the endpoint's dialect; <c>Authorization</c>, as it is, for what begins with <c>Bearer</c>.</summary>
    /// <exception cref="InvalidOperationException">The credential has characters that no header may have; it is not shown.</exception>
    public static (string Name, string Value) HeaderFor(PoolEndpoint endpoint, string secret)
    {
        if (!IsValid(secret))
            throw new InvalidOperationException($"The credential of endpoint '{endpoint.Name}' has characters that no header may have.");
        if (secret.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase))
            return ("Authorization", secret);
        var place = DialectTable.Get(endpoint.Dialect).Credential;
        return (place.Header, place.Prefix + secret);
    }

    /// <summary>Has it no characters with which one header could become two?</summary>
    public static bool IsValid(string secret) => secret.AsSpan().IndexOfAny("\r\n\0") < 0;
}
