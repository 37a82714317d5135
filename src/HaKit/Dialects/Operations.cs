namespace HaKit.Dialects;

/// <summary>The names that OpenTelemetry's conventions for generative AI have for what a request asks for (<c>gen_ai.operation.name</c>).</summary>
internal static class Operations
{
    // The longest end first where one is the end of another.
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

    /// <summary>The operation of a request; null where the conventions have none for it.</summary>
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
