namespace HaKit.Dialects;

/// <summary>Gets the operation of a request in the words of OpenTelemetry's conventions for generative AI (<c>gen_ai.operation.name</c>).</summary>
internal static class Operations
{
    // If one path ends with another path of the table, the longer path comes first.
    private static readonly (string End, string Name)[] s_ends =
    [
        ("/chat/completions", "chat"),
        ("/completions", "text_completion"),
        ("/responses", "chat"),
        ("/messages", "chat"),
        ("/converse", "chat"),
        ("/converse-stream", "chat"),
        ("/api/chat", "chat"),
        ("/api/generate", "text_completion"),
        ("/embeddings", "embeddings"),
        ("/api/embed", "embeddings"),
        (":embedContent", "embeddings"),
        (":batchEmbedContents", "embeddings"),
        (":generateContent", "generate_content"),
        (":streamGenerateContent", "generate_content"),
    ];

    /// <summary>Gets the operation of a request. Null if the conventions have no name for it.</summary>
    /// <param name="path">The request's path, without a query.</param>
    public static string? OperationOf(string path)
    {
        var text = path.AsSpan().TrimEnd('/');
        foreach (var (end, name) in s_ends)
        {
            if (text.EndsWith(end, StringComparison.Ordinal))
            {
                return name;
            }
        }
        return null;
    }
}
