using HaKit.Dialects;

namespace HaKit.Attempts;

/// <summary>
/// Checks the settings that may contain a credential of an endpoint: <see cref="EndpointOptions.Credential"/>, <see cref="EndpointOptions.Headers"/> and, by
/// mistake, <see cref="EndpointOptions.KeyName"/>. With a wrong credential the provider would refuse every call, or a call would be sent with the caller's key.
/// No message shows a value. Pure.
/// </summary>
internal static class EndpointSecrets
{
    /// <summary>The end of a sentence about a placeholder in place of a key.</summary>
    public const string IsPlaceholder = "is a placeholder, such as '<key>', 'YOUR_API_KEY', '${KEY}' or 'sk-...', and not a key.";

    private const int ShortestKeyAsModel = 20;

    // Folders in which containers find the files of their secrets, and the prefixes of other paths.
    private static readonly string[] s_paths = ["/run/secrets/", "/var/run/secrets/", "/mnt/secrets/", "/etc/secrets/", "./", "../", "~/", "C:\\", "file:/"];

    // References that a platform or a library replaces with the secret, if they are in the right place.
    private static readonly string[] s_references = ["secretref:", "keyvault:", "vault:", "arn:aws:secretsmanager:", "arn:aws:ssm:"];

    // The last part of the name of a setting.
    private static readonly string[] s_settings = ["ApiKey", "Key", "Credential", "AccessToken", "Token", "Secret"];

    private static readonly string[] s_headers = ["Authorization:", "api-key:", "x-api-key:", "x-goog-api-key:", "Ocp-Apim-Subscription-Key:"];

    /// <summary>Gets a sentence for each mistake.</summary>
    /// <param name="path">The path of the endpoint, for example <c>Pool 'chat': Endpoints:0</c>.</param>
    /// <param name="endpoint">The endpoint.</param>
    public static IEnumerable<string> FindMistakes(string path, EndpointOptions endpoint) => [.. OfCredential(path, endpoint), .. OfNames(path, endpoint), .. OfHeaders(path, endpoint)];

    private static IEnumerable<string> OfCredential(string path, EndpointOptions endpoint)
    {
        if (endpoint.Credential is { } secret)
        {
            if ((FindMistake(secret) ?? ForeignKey.FindMistake(secret, endpoint.Address)) is { } mistake)
                yield return $"{path}:Credential of '{endpoint.Name}' {mistake}";
            if (endpoint.Headers.Keys.FirstOrDefault(h => h.Equals(HeaderOf(endpoint, secret), StringComparison.OrdinalIgnoreCase)) is { } twice)
                yield return $"{path}:Headers of '{endpoint.Name}' has the header '{twice}', and Credential is set too, which goes into the same header. Keep one of them.";
        }
    }

    private static string? FindMistake(string secret)
    {
        const string Cure = "Give the key itself, or leave Credential out if the endpoint needs no key.";
        if (Placeholder.WithoutScheme(secret).Length == 0)
            return $"is empty. {Cure}";
        if (Placeholder.IsSecret(secret))
            return $"{IsPlaceholder} {Cure}";
        return CredentialHeader.IsValid(secret) ? FindForm(secret) : CredentialHeader.HasImpossibleCharacters;
    }

    private static IEnumerable<string> OfNames(string path, EndpointOptions endpoint)
    {
        foreach (var (setting, text) in new[]
        {
            ("Name", endpoint.Name), ("KeyName", endpoint.KeyName), ("Account", endpoint.Account), ("Provider", endpoint.Provider), ("Region", endpoint.Region), ("Zone", endpoint.Zone),
            ("Residency", endpoint.Residency), ("Model", endpoint.Model),
        })
        {
            // The names of some models begin like a key, but are shorter.
            if (text is not null && ShownText.HasWordLikeKey(text, setting == "Model" ? ShortestKeyAsModel : 0))
                yield return $"{path}:{setting}{(setting == "Name" ? "" : $" of '{endpoint.Name}'")} {(ShownText.BeginsAsKey(text.AsSpan().Trim()) ? "" : "has a part that ")}begins as a key does. {setting} is a name, which pages and logs show. Give the key as Credential.";
        }
    }

    private static IEnumerable<string> OfHeaders(string path, EndpointOptions endpoint)
    {
        foreach (var (header, value) in endpoint.Headers)
        {
            if (value is null)
            {
                yield return $"{path}:Headers of '{endpoint.Name}' has the header{ShownHeader(header)} without a value. Give the value itself, or leave the header out.";
            }
            else if (!CredentialHeader.IsCredential(header))
            {
                if (Placeholder.IsTemplate(value))
                    yield return $"{path}:Headers of '{endpoint.Name}' has the header{ShownHeader(header)} with a placeholder in it, such as '<name>' or '${{NAME}}'. Give the value itself, or leave the header out.";
            }
            else if (Placeholder.WithoutScheme(value).Length == 0)
            {
                yield return $"{path}:Headers of '{endpoint.Name}' has the header{ShownHeader(header)} without a key. Give the key itself, or leave the header out.";
            }
            else if (Placeholder.IsSecret(value))
            {
                yield return $"{path}:Headers of '{endpoint.Name}' has the header{ShownHeader(header)}, whose value {IsPlaceholder} Give the key itself, or leave the header out.";
            }
            else if (!header.Equals("Cookie", StringComparison.OrdinalIgnoreCase) && FindForm(value) is { } form)
            {
                yield return $"{path}:Headers of '{endpoint.Name}' has the header{ShownHeader(header)}, whose value {form}";
            }
        }
    }

    /// <summary>Returns what surrounds the key in a text, and the remedy, as the end of a sentence; null if the text can be the key itself.</summary>
    public static string? FindForm(string secret)
    {
        if (char.IsWhiteSpace(secret[0]) || char.IsWhiteSpace(secret[^1]))
            return "has white space at its beginning or end. Remove it.";
        if (QuotedText.Is(secret))
            return "is in quotation marks. Remove them.";
        if (secret.Contains("://", StringComparison.Ordinal))
            return "is an address. Give the key itself.";
        if (FindReference(Placeholder.WithoutScheme(secret)) is { } reference)
            return reference;
        if (secret.StartsWith("Bearer:", StringComparison.OrdinalIgnoreCase))
            return "has a colon after 'Bearer'. Write 'Bearer', a space and the key, or only the key.";
        if (secret.StartsWith("Bearer Bearer ", StringComparison.OrdinalIgnoreCase))
            return "has 'Bearer' twice. Keep it once.";
        if (ShownText.BeginsAsKey(secret) && secret.IndexOf(',', StringComparison.Ordinal) is > 0 and var comma && ShownText.BeginsAsKey(secret.AsSpan(comma + 1).TrimStart()))
            return "has two keys. Give each key an endpoint of its own.";
        return s_headers.Any(h => secret.StartsWith(h, StringComparison.OrdinalIgnoreCase)) ? "begins with the name of a header. Give only the key: the pool adds the header of the dialect." : null;
    }

    private static string? FindReference(string secret)
    {
        if (s_paths.Any(p => secret.StartsWith(p, StringComparison.OrdinalIgnoreCase)))
            return "is the path of a file. Give the content of the file: add the file to the configuration, for example with AddKeyPerFile, or read it in UseCredential.";
        if (s_references.Any(r => secret.StartsWith(r, StringComparison.OrdinalIgnoreCase)))
            return "is a reference to a secret, which was not replaced. Give the key itself.";
        // OpenAI:ApiKey
        var parts = secret.Split(':');
        return parts.Length > 1 && s_settings.Contains(parts[^1], StringComparer.Ordinal) && Array.TrueForAll(parts, static p => p.Length > 0 && char.IsAsciiLetterUpper(p[0]) && p.All(char.IsAsciiLetterOrDigit))
            ? "is the name of a setting. Give the value of that setting, or give the name to UseCredentialFromConfiguration."
            : null;
    }

    private static string HeaderOf(EndpointOptions endpoint, string secret)
    {
        var dialect = Enum.IsDefined(endpoint.Dialect) ? endpoint.Dialect : WireDialect.Unknown;
        Uri.TryCreate(endpoint.Address, UriKind.Absolute, out var address);
        return CredentialHeader.PlaceOf(dialect, ProviderHosts.FindForCredential(dialect, address), secret).Header;
    }

    /// <summary>Gets a header's name to append to a message. Empty if the name itself may be a key.</summary>
    public static string ShownHeader(string header)
    {
        var name = new string([.. header.Where(static c => char.IsAsciiLetterOrDigit(c) || c == '-')]);
        return ShownText.IsName(name) ? $" '{name}'" : "";
    }
}
