using HaKit.Dialects;

namespace HaKit.Attempts;

/// <summary>Checks the address of an endpoint as it is written. Pure.</summary>
internal static class EndpointAddress
{
    // Sites for people at which no API answers, each with the base address of the provider's API.
    private static readonly (string Host, string Api)[] s_sites =
    [
        ("platform.openai.com", "https://api.openai.com/v1"), ("openai.com", "https://api.openai.com/v1"), ("www.openai.com", "https://api.openai.com/v1"),
        ("chat.openai.com", "https://api.openai.com/v1"), ("chatgpt.com", "https://api.openai.com/v1"),
        ("anthropic.com", "https://api.anthropic.com"), ("www.anthropic.com", "https://api.anthropic.com"), ("console.anthropic.com", "https://api.anthropic.com"),
        ("platform.claude.com", "https://api.anthropic.com"), ("claude.ai", "https://api.anthropic.com"),
        ("console.mistral.ai", "https://api.mistral.ai/v1"), ("mistral.ai", "https://api.mistral.ai/v1"), ("chat.mistral.ai", "https://api.mistral.ai/v1"),
        ("portal.azure.com", "https://<resource>.openai.azure.com/openai/v1"), ("ai.azure.com", "https://<resource>.openai.azure.com/openai/v1"), ("oai.azure.com", "https://<resource>.openai.azure.com/openai/v1"),
        ("aistudio.google.com", "https://generativelanguage.googleapis.com"), ("ollama.com", "http://localhost:11434"),
    ];

    // SDKs add these paths to the base address that they are given.
    private static readonly string[] s_operations =
    [
        "/chat/completions", "/completions", "/v1/responses", "/v1/embeddings", "/v1/messages", "/v1/moderations", "/v1/images/generations", "/v1/audio/speech", "/v1/audio/transcriptions",
        "/responses", "/embeddings", "/images/generations", "/audio/speech", "/audio/transcriptions", "/api/chat", "/api/generate", "/api/embed", "/api/tags", "/v1/models",
    ];

    /// <summary>Returns the mistake in an address and its remedy, as the end of a sentence that begins with the address; null if there is no mistake.</summary>
    /// <param name="address">The address.</param>
    public static string? FindMistake(string address)
    {
        // Azure and Aspire write "Endpoint=https://…;Key=…". The key may be short, so no part of the text is shown.
        if (!IsAbsolute(address) && (address.Contains("Endpoint=", StringComparison.OrdinalIgnoreCase) || address.StartsWith("Key=", StringComparison.OrdinalIgnoreCase)))
            return "is a connection string. Give only the address in it, and give the key as Credential. The connection string is not shown, because it may hold a key.";
        if (Placeholder.IsInAddress(address))
            return $"is '{ShownText.OfAddress(address)}', which has a placeholder in it, such as '<resource>' or 'YOUR-RESOURCE'. Give the real name in its place.";
        if (QuotedText.Is(address))
            return $"is '{ShownText.OfAddress(address[1..^1])}' in quotation marks. Remove them.";
        if (address.Any(char.IsWhiteSpace))
            return $"is '{ShownText.OfAddress(address)}' and has white space. Remove it.";
        if (address.Contains("://*", StringComparison.Ordinal) || address.Contains("://+", StringComparison.Ordinal))
            return $"is '{ShownText.OfAddress(address)}', where a server can listen but no client can connect. Give the name or the address of the server, such as 'localhost'.";
        if (FindPort(address) is > 65535)
            return $"is '{ShownText.OfAddress(address)}', and no port is above 65535. Give the port at which the server listens.";
        if (!IsAbsolute(address))
            return $"is '{ShownText.OfAddress(address)}': an absolute http or https address is needed (or https+http, which service discovery resolves), such as 'https://api.openai.com/v1'.";
        var uri = new Uri(address);
        if (uri.Host is "http" or "https")
            return $"is '{ShownText.OfAddress(address)}' and has its scheme twice. Keep it once.";
        return FindMistakeOfServer(uri) ?? FindMistakeOfPath(uri);
    }

    // The port as it is written. Null if there is none.
    private static int? FindPort(string address)
    {
        if (address.IndexOf("://", StringComparison.Ordinal) is not (>= 0 and var scheme))
            return null;
        var server = address[(scheme + 3)..].Split('/', '?', '#')[0];
        return server.LastIndexOf(':') is >= 0 and var colon && int.TryParse(server.AsSpan(colon + 1), System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var port) ? port : null;
    }

    private static string? FindMistakeOfServer(Uri uri)
    {
        var address = uri.OriginalString;
        if (uri.AbsolutePath.Contains("://", StringComparison.Ordinal))
            return $"is '{ShownText.OfAddress(address)}', which has two addresses in it. Give each address an endpoint of its own.";
        if (uri.Host is "0.0.0.0" or "[::]")
            return $"is '{ShownText.OfAddress(address)}', where a server can listen but no client can connect. Give the name or the address of the server, such as 'localhost'.";
        if (uri.Port == 0)
            return $"is '{ShownText.OfAddress(address)}', and no server can be reached at port 0. Give the port at which the server listens.";
        if (uri.Fragment.Length > 0)
            return $"is '{ShownText.OfAddress(address)}' and a part after '#', which is never sent. Remove that part.";
        return s_sites.FirstOrDefault(s => uri.Host.Equals(s.Host, StringComparison.OrdinalIgnoreCase)) is { Api: { } api }
            ? $"is '{ShownText.OfAddress(address)}', a site for people. Give the address of the API, such as '{api}'."
            : null;
    }

    private static string? FindMistakeOfPath(Uri uri)
    {
        var path = uri.AbsolutePath.TrimEnd('/');
        var address = uri.OriginalString;
        if (DoubledVersion(path) is { } doubled)
            return $"is '{ShownText.OfAddress(address)}' and has '{doubled}' twice. Keep it once.";
        if (path.EndsWith("/openai/deployments", StringComparison.OrdinalIgnoreCase))
            return $"ends with '/deployments' and names no deployment. Write '{ShownText.OfAddress(uri.GetLeftPart(UriPartial.Authority) + path)}/{{model}}', where the pool puts Model, or the address that ends with '/openai/v1'.";
        if (path.LastIndexOf("/models/", StringComparison.OrdinalIgnoreCase) is >= 0 and var models && path.IndexOf(':', models) >= 0)
            return $"ends with an operation of a model, which the SDK or your request adds to the base address: '{ShownText.OfAddress(uri.GetLeftPart(UriPartial.Authority) + path[..models])}' is needed.";
        if (s_operations.FirstOrDefault(o => path.EndsWith(o, StringComparison.OrdinalIgnoreCase)) is not { } operation)
            return null;
        // OpenAI's base address ends with /v1; the base addresses of Anthropic and Ollama have no path.
        var kept = operation.StartsWith("/v1/", StringComparison.Ordinal) && operation != "/v1/messages" ? "/v1" : "";
        var meant = uri.GetLeftPart(UriPartial.Authority) + path[..^operation.Length] + kept;
        return $"ends with '{operation}', which the SDK or your request adds to the base address: '{ShownText.OfAddress(meant)}' is needed.";
    }

    // …/v1/v1: the version was added to an address that already ended with the version.
    private static string? DoubledVersion(string path)
    {
        var parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        for (var i = 1; i < parts.Length; i++)
        {
            if (parts[i] == parts[i - 1] && parts[i] is ['v', _, ..] && char.IsAsciiDigit(parts[i][1]))
                return "/" + parts[i];
        }
        return null;
    }

    /// <summary>
    /// Returns the mistake if the host of a well-known provider does not support the dialect, as the end of a sentence; null if there is no mistake.
    /// </summary>
    /// <param name="dialect">The declared dialect.</param>
    /// <param name="address">The address.</param>
    public static string? FindForeignDialect(WireDialect dialect, string address)
    {
        if (dialect == WireDialect.Unknown || !Uri.TryCreate(address, UriKind.Absolute, out var uri))
            return null;
        return ProviderHosts.Find(uri) is not { Supported: { Count: > 0 } supported } || supported.Contains(dialect)
            ? null
            : $"is {dialect}, which '{uri.Host}' does not speak. Set {string.Join(" or ", supported)}, or leave Dialect out.";
    }

    /// <summary>Checks for Azure's older address with a deployment in its path and without the version that Azure needs in the query.</summary>
    /// <param name="address">The address.</param>
    public static bool LacksApiVersion(Uri address) =>
        address.Host.EndsWith(".azure.com", StringComparison.OrdinalIgnoreCase) && address.AbsolutePath.Contains("/openai/deployments/", StringComparison.OrdinalIgnoreCase)
        && !address.Query.TrimStart('?').Split('&').Any(static p => p.StartsWith("api-version=", StringComparison.OrdinalIgnoreCase) && p.Length > "api-version=".Length);

    /// <summary>Checks for an absolute address over http or https, or an address that service discovery resolves to one.</summary>
    /// <param name="address">The address.</param>
    public static bool IsAbsolute(string address) =>
        Uri.TryCreate(address, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" or "https+http" or "http+https";
}
