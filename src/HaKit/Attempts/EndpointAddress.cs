namespace HaKit.Attempts;

/// <summary>Checks the address of an endpoint as it is written. Pure.</summary>
internal static class EndpointAddress
{
    // The hosts of Anthropic and Mistral support OpenAI's dialect too.
    private static readonly (string Host, WireDialect[] Dialects)[] s_dialects =
        [("api.openai.com", [WireDialect.OpenAI]), ("api.anthropic.com", [WireDialect.Anthropic, WireDialect.OpenAI]), ("api.mistral.ai", [WireDialect.Mistral, WireDialect.OpenAI])];

    // SDKs add these paths to the base address that they are given.
    private static readonly string[] s_operations =
        ["/chat/completions", "/completions", "/v1/responses", "/v1/embeddings", "/v1/messages", "/api/chat", "/api/generate", "/v1/models"];

    /// <summary>Returns the mistake in an address and its remedy, as the end of a sentence that begins with the address; null if there is no mistake.</summary>
    /// <param name="address">The address.</param>
    public static string? FindMistake(string address)
    {
        if (Placeholder.IsInAddress(address))
            return $"is '{ShownText.OfAddress(address)}', which has a placeholder in it, such as '<resource>' or 'YOUR-RESOURCE'. Give the real name in its place.";
        if (address.Any(char.IsWhiteSpace))
            return $"is '{ShownText.OfAddress(address)}' and has white space. Remove it.";
        if (!IsAbsolute(address))
            return $"is '{ShownText.OfAddress(address)}': an absolute http or https address is needed (or https+http, which service discovery resolves), such as 'https://api.openai.com/v1'.";
        var uri = new Uri(address);
        if (uri.Host is "http" or "https")
            return $"is '{ShownText.OfAddress(address)}' and has its scheme twice. Keep it once.";
        if (uri.Host is "0.0.0.0" or "[::]")
            return $"is '{ShownText.OfAddress(address)}', where a server can listen but no client can connect. Give the name or the address of the server, such as 'localhost'.";
        var path = uri.AbsolutePath.TrimEnd('/');
        if (DoubledVersion(path) is { } doubled)
            return $"is '{ShownText.OfAddress(address)}' and has '{doubled}' twice. Keep it once.";
        if (path.EndsWith("/openai/deployments", StringComparison.OrdinalIgnoreCase))
            return $"ends with '/deployments' and names no deployment. Write '{ShownText.OfAddress(uri.GetLeftPart(UriPartial.Authority) + path)}/{{model}}', where the pool puts Model, or the address that ends with '/openai/v1'.";
        if (s_operations.FirstOrDefault(o => path.EndsWith(o, StringComparison.OrdinalIgnoreCase)) is not { } operation)
            return null;
        // OpenAI's base address ends with /v1; the base addresses of Anthropic and Ollama have no path.
        var kept = operation is "/v1/responses" or "/v1/embeddings" or "/v1/models" ? "/v1" : "";
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
        foreach (var (host, spoken) in s_dialects)
        {
            if (uri.Host.Equals(host, StringComparison.OrdinalIgnoreCase) && !spoken.Contains(dialect))
                return $"is {dialect}, which '{host}' does not speak. Set {string.Join(" or ", spoken)}, or leave Dialect out.";
        }
        return null;
    }

    /// <summary>Checks for Azure's older address with a deployment in its path and without the version that Azure needs in the query.</summary>
    /// <param name="address">The address.</param>
    public static bool LacksApiVersion(Uri address) =>
        address.Host.EndsWith(".azure.com", StringComparison.OrdinalIgnoreCase) && address.AbsolutePath.Contains("/openai/deployments/", StringComparison.OrdinalIgnoreCase)
        && !address.Query.Contains("api-version=", StringComparison.OrdinalIgnoreCase);

    /// <summary>Checks for an absolute address over http or https, or an address that service discovery resolves to one.</summary>
    /// <param name="address">The address.</param>
    public static bool IsAbsolute(string address) =>
        Uri.TryCreate(address, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" or "https+http" or "http+https";
}
