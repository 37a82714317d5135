namespace HaKit.Dialects;

/// <summary><c>{"type":"error","error":{"type","message"},"request_id"}</c>.</summary>
internal sealed class AnthropicDialect : OpenAIDialect
{
    public static new AnthropicDialect Instance { get; } = new();

    public override IReadOnlyList<AnswerPath> Paths { get; } =
    [
        new("/messages/count_tokens", AnswerShape.Count),
        new("/messages", AnswerShape.Content, IsTelling: false),
        new("/complete", AnswerShape.Object, IsTelling: false),
    ];

    public override CredentialPlace Credential => new("x-api-key");

    public override UsageNames Usage { get; } = new("usage", "input_tokens", "output_tokens") { Cached = "cache_read_input_tokens", Written = "cache_creation_input_tokens" };

    public override bool LimitsCountCachedTokens => false;

    public override RateLimitNames RateLimits { get; } = new(Window("requests"), Window("tokens")) { InputTokens = Window("input-tokens"), OutputTokens = Window("output-tokens") };

    public override (string Name, string Value)? RequiredHeader => ("anthropic-version", "2023-06-01");

    public override string ModelsPath(string folder) => Version(folder) + "/models";

    public override CompletionRequest Completion(string folder, string? model, int maxTokens) => new(Version(folder) + "/messages", CompletionRequest.Write(json =>
    {
        CompletionRequest.WriteChat(json, model);
        json.WriteNumber("max_tokens", maxTokens);
    }));

    public override bool IsUnmistakable(in ErrorSigns signs) => signs.IsTypeError && signs.HasErrorObject && signs.Code.IsEmpty;

    protected override Verdict? Meaning(ReadOnlySpan<char> word) => word switch
    {
        "enforced_spend_limit_reached" => Verdict.Quota,
        _ => base.Meaning(word),
    };

    // Anthropic's SDK uses a base address without `/v1`.
    private static string Version(string folder) => folder.EndsWith("/v1", StringComparison.Ordinal) ? "" : "/v1";

    private static RateLimitWindowNames Window(string dimension) =>
        new($"anthropic-ratelimit-{dimension}-limit", $"anthropic-ratelimit-{dimension}-remaining", $"anthropic-ratelimit-{dimension}-reset");
}
