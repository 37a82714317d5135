using HaKit.Dialects;

namespace HaKit.Attempts;

/// <summary>Finds the key of one provider at the host of another, for example after the keys of two endpoints were exchanged. Pure.</summary>
internal static class ForeignKey
{
    // The beginnings of keys that only one provider issues. Null: none of the known hosts belongs to the provider.
    private static readonly (string Beginning, string Provider, WireDialect? Dialect)[] s_keys =
    [
        ("sk-ant-", "Anthropic", WireDialect.Anthropic), ("sk-proj-", "OpenAI", WireDialect.OpenAI), ("AIza", "Google", WireDialect.Gemini),
        ("gsk_", "Groq", null), ("xai-", "xAI", null), ("pplx-", "Perplexity", null), ("nvapi-", "NVIDIA", null),
    ];

    /// <summary>Returns the mistake and its remedy, as the end of a sentence; null if the key may be right. The key is not shown.</summary>
    /// <param name="secret">The credential.</param>
    /// <param name="address">The address of the endpoint.</param>
    public static string? FindMistake(string secret, string? address)
    {
        if (!Uri.TryCreate(address, UriKind.Absolute, out var uri) || ProviderHosts.Find(uri) is not { Supported.Count: > 0 } host)
            return null;
        var key = Placeholder.WithoutScheme(secret);
        return s_keys.FirstOrDefault(k => key.StartsWith(k.Beginning, StringComparison.Ordinal)) is { Provider: { } provider } owner && owner.Dialect != host.Dialect
            ? $"begins as a key of {provider} does, and '{uri.Host}' belongs to another provider. Give the key for this host."
            : null;
    }
}
