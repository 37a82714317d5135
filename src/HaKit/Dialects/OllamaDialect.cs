namespace HaKit.Dialects;

/// <summary>
/// Ollama's own interface: <c>/api/chat</c> and <c>/api/generate</c>, streamed as one JSON object per line, the last with <c>"done":true</c>; errors are
/// <c>{"error":"words"}</c>. Its interface that is compatible with OpenAI uses OpenAI's format. A refusal affects one server only.
/// </summary>
internal sealed class OllamaDialect : OpenAIDialect
{
    public static new OllamaDialect Instance { get; } = new();

    public override IReadOnlyList<AnswerPath> Paths { get; } =
    [
        new("/api/chat", AnswerShape.Ollama, IsTelling: false),
        new("/api/generate", AnswerShape.Ollama, IsTelling: false),
        new("/api/embed", AnswerShape.Ollama, IsTelling: false),
        new("/api/embeddings", AnswerShape.Ollama, IsTelling: false),
        .. OpenAIDialect.Instance.Paths,
    ];

    public override UsageNames Usage { get; } = new("", "prompt_eval_count", "eval_count");

    protected override bool NamesCompletionTokens => false;

    public override string ModelsPath(string folder) => IsCompatible(folder) ? base.ModelsPath(folder) : Api(folder) + "/tags";

    public override CompletionRequest Completion(string folder, string? model, int maxTokens) => IsCompatible(folder)
        ? base.Completion(folder, model, maxTokens)
        : new(Api(folder) + "/chat", CompletionRequest.Write(json =>
        {
            CompletionRequest.WriteChat(json, model);
            json.WriteBoolean("stream", false);
            CompletionRequest.WriteLimit(json, "options", "num_predict", maxTokens);
        }));

    protected override FaultReach ThrottleReach => FaultReach.Endpoint;

    // Ollama's interface for OpenAI clients is below /v1.
    private static bool IsCompatible(string folder) => folder.EndsWith("/v1", StringComparison.Ordinal);

    private static string Api(string folder) => folder.EndsWith("/api", StringComparison.Ordinal) ? "" : "/api";
}
