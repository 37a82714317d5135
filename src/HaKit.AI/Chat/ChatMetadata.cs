using Microsoft.Extensions.AI;

namespace HaKit.AI;

/// <summary>Computes the metadata that is true for all endpoints' clients.</summary>
internal static class ChatMetadata
{
    public static ChatClientMetadata InCommon(IReadOnlyList<PoolEndpoint> endpoints)
    {
        var all = endpoints.Select(MetadataOf).ToArray();
        return new(CommonOf(all, m => m.ProviderName), CommonOf(all, m => m.ProviderUri), CommonOf(all, m => m.DefaultModelId));
    }

    /// <summary>Gets the metadata of one endpoint: its client's metadata, with the model and provider of the pool's configuration.</summary>
    public static ChatClientMetadata MetadataOf(PoolEndpoint endpoint)
    {
        var own = ChatEndpoint.ClientOf(endpoint)?.GetService(typeof(ChatClientMetadata)) as ChatClientMetadata;
        return new(own?.ProviderName ?? endpoint.Domains.Provider, own?.ProviderUri ?? endpoint.Address, endpoint.Domains.Model ?? own?.DefaultModelId);
    }

    /// <summary>Checks whether the endpoints belong to different providers, as far as their providers are known.</summary>
    public static bool SpanProviders(IReadOnlyList<PoolEndpoint> endpoints)
    {
        var first = endpoints.Count > 0 ? ProviderOf(endpoints[0]) : null;
        for (var i = 1; i < endpoints.Count; i++)
        {
            if (!string.Equals(ProviderOf(endpoints[i]), first, StringComparison.OrdinalIgnoreCase))
                return true;
        }

        return false;
    }

    private static string? ProviderOf(PoolEndpoint endpoint) => endpoint.Domains.Provider ?? MetadataOf(endpoint).ProviderName;

    private static T? CommonOf<T>(ChatClientMetadata[] all, Func<ChatClientMetadata, T?> part) where T : class =>
        all.Length > 0 && Array.TrueForAll(all, m => Equals(part(m), part(all[0]))) ? part(all[0]) : null;
}
