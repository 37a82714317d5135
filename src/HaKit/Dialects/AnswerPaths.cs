namespace HaKit.Dialects;

/// <summary>The paths of a known dialect at which a POST creates an answer, and what the answer must hold.</summary>
/// <param name="End">How the path ends.</param>
/// <param name="Shape">What a 200 must hold.</param>
/// <param name="IsTelling">Is it no path of servers of another kind? Any other must stand behind a version (<c>/v1/responses</c>).</param>
internal readonly record struct AnswerPath(string End, AnswerShape Shape, bool IsTelling = true);

internal static class AnswerPaths
{
    private static readonly AnswerPath[] s_paths =
    [
        new("/chat/completions", AnswerShape.Choices),
        new("/fim/completions", AnswerShape.Choices),
        new("/agents/completions", AnswerShape.Choices),
        new("/completions", AnswerShape.Choices, IsTelling: false),
        new("/responses", AnswerShape.Output, IsTelling: false),
        new("/embeddings", AnswerShape.Data, IsTelling: false),
        new("/images/generations", AnswerShape.Data),
        new("/images/edits", AnswerShape.Data),
        new("/images/variations", AnswerShape.Data),
        new("/audio/transcriptions", AnswerShape.Transcript),
        new("/audio/translations", AnswerShape.Transcript),
        new("/audio/speech", AnswerShape.Any),
        new("/moderations", AnswerShape.Results, IsTelling: false),
        new("/rerank", AnswerShape.Results, IsTelling: false),
        new("/messages", AnswerShape.Content, IsTelling: false),
        new("/messages/count_tokens", AnswerShape.Count),
        new(":generateContent", AnswerShape.Candidates),
        new(":streamGenerateContent", AnswerShape.Candidates),
        new(":embedContent", AnswerShape.Embedding),
        new(":batchEmbedContents", AnswerShape.Embedding),
        new(":countTokens", AnswerShape.Count),
        new("/converse", AnswerShape.Converse, IsTelling: false),
        new("/converse-stream", AnswerShape.Converse),
        new("/invoke-with-response-stream", AnswerShape.Object),
    ];

    /// <summary>The path at which a POST creates an answer; null for any other.</summary>
    /// <param name="path">The request's path.</param>
    public static AnswerPath? Find(string path)
    {
        var text = path.AsSpan().TrimEnd('/');
        // The messages of a thread, the items of a conversation: they belong to an object that one endpoint stores.
        if (text.Contains("/threads/", StringComparison.Ordinal) || text.Contains("/conversations/", StringComparison.Ordinal) || text.Contains("/assistants/", StringComparison.Ordinal))
            return null;
        foreach (var known in s_paths)
            if (text.EndsWith(known.End, StringComparison.Ordinal) && (known.IsTelling || IsBehindVersion(text[..^known.End.Length])))
                return known;
        return null;
    }

    private static bool IsBehindVersion(ReadOnlySpan<char> before) =>
        before.EndsWith("/openai", StringComparison.Ordinal) || before.Contains("/openai/deployments/", StringComparison.Ordinal) || before.Contains("/model/", StringComparison.Ordinal)
        || before[(before.LastIndexOf('/') + 1)..] is ['v', >= '0' and <= '9', ..];
}
