using System.Security.Cryptography;
using System.Text;

namespace HaKit.Http;

/// <summary>
/// Creates the member <c>prompt_cache_key</c> of a request. Requests with the same affinity key have the same value, so that the provider sends them to the
/// machine that has their prompt in its cache. The value is a hash, because the affinity key may name a user.
/// </summary>
internal static class PromptCacheKey
{
    /// <summary>Gets the member, to be inserted after the opening brace of a body. Null if the body must not have it.</summary>
    /// <param name="json">The body.</param>
    /// <param name="affinityKey">The affinity key. Null: none.</param>
    public static byte[]? For(ReadOnlySpan<byte> json, string? affinityKey)
    {
        if (affinityKey is null || PlaceIn(json) < 0 || JsonOutline.ValueAtRoot(json, "prompt_cache_key"u8) is not null)
        {
            return null;
        }
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(affinityKey)).AsSpan(0, 16));
        return Encoding.ASCII.GetBytes($"\"prompt_cache_key\":\"{hash}\",");
    }

    /// <summary>Finds where the first member of the root object begins. -1 if there is no object, or if it is empty.</summary>
    public static int PlaceIn(ReadOnlySpan<byte> json)
    {
        var at = json.IndexOfAnyExcept(" \t\r\n"u8);
        if (at < 0 || json[at] != '{')
        {
            return -1;
        }
        var rest = json[(at + 1)..].IndexOfAnyExcept(" \t\r\n"u8);
        return rest >= 0 && json[at + 1 + rest] == '"' ? at + 1 : -1;
    }
}
