namespace HaKit.Dialects;

/// <summary>
/// Finds out whether a request names an object that one endpoint stores: an earlier response, a conversation, a file. Only the endpoint that created it has
/// it, so a refusal by another endpoint says nothing about the request or that endpoint.
/// </summary>
internal static class StoredObjects
{
    // Members with a text as value. A quotation mark inside a JSON text is escaped, so an unescaped name is a member's name.
    private static readonly byte[][] s_ids =
    [
        "\"previous_response_id\""u8.ToArray(), "\"conversation\""u8.ToArray(), "\"conversation_id\""u8.ToArray(), "\"file_id\""u8.ToArray(), "\"thread_id\""u8.ToArray(),
        "\"assistant_id\""u8.ToArray(), "\"container\""u8.ToArray(), "\"container_id\""u8.ToArray(), "\"batch_id\""u8.ToArray(), "\"cachedContent\""u8.ToArray(),
        "\"cached_content\""u8.ToArray(), "\"fileUri\""u8.ToArray(), "\"file_uri\""u8.ToArray(), "\"input_file_id\""u8.ToArray(),
    ];

    private static readonly byte[][] s_lists = ["\"vector_store_ids\""u8.ToArray(), "\"file_ids\""u8.ToArray()];

    private static readonly WordSet s_names = new([.. s_ids.Concat(s_lists).Select(static quoted => System.Text.Encoding.UTF8.GetString(quoted.AsSpan(1, quoted.Length - 2)))]);

    /// <summary>Checks whether a member of this name may refer to a stored object.</summary>
    /// <param name="name">The name, without its quotes.</param>
    public static bool MightBeNamedBy(ReadOnlySpan<byte> name) => s_names.Contains(name);

    /// <summary>Checks whether the body names a stored object.</summary>
    /// <param name="json">The body.</param>
    public static bool AreNamedIn(ReadOnlySpan<byte> json)
    {
        foreach (var name in s_ids)
        {
            if (HasValue(json, name, (byte)'"'))
                return true;
        }

        foreach (var name in s_lists)
        {
            if (HasValue(json, name, (byte)'['))
                return true;
        }
        // A conversation and a container may be objects with an id.
        return HasId(json, "\"conversation\""u8) || HasId(json, "\"container\""u8);
    }

    private static bool HasValue(ReadOnlySpan<byte> json, ReadOnlySpan<byte> name, byte first)
    {
        while (json.IndexOf(name) is >= 0 and var at)
        {
            json = json[(at + name.Length)..];
            var value = json.TrimStart(" \t\r\n"u8);
            if (value is [(byte)':', ..] && value[1..].TrimStart(" \t\r\n"u8) is var rest && rest.Length > 1 && rest[0] == first && rest[1] is not ((byte)'"' or (byte)']'))
                return true;
        }
        return false;
    }

    private static bool HasId(ReadOnlySpan<byte> json, ReadOnlySpan<byte> name)
    {
        while (json.IndexOf(name) is >= 0 and var at)
        {
            json = json[(at + name.Length)..];
            var value = json.TrimStart(" \t\r\n"u8);
            if (value is [(byte)':', ..] && value[1..].TrimStart(" \t\r\n"u8) is [(byte)'{', .. var members] && members.TrimStart(" \t\r\n"u8).StartsWith("\"id\""u8))
                return true;
        }
        return false;
    }
}
