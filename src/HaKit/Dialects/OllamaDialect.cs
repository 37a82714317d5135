namespace HaKit.Dialects;

/// <summary>
/// Ollama's own interface: <c>/api/chat</c> and <c>/api/generate</c>, streamed as one JSON object in each line, the last of which says <c>"done":true</c>; errors
/// are <c>{"error":"words"}</c>. Its interface that is compatible with OpenAI speaks OpenAI's words. A refusal speaks for one server only.
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

    public override UsageNames Usage => new("", "prompt_eval_count", "eval_count");

    public override string ModelsPath => "/api/tags";

    protected override FaultReach ThrottleReach => FaultReach.Endpoint;
}
