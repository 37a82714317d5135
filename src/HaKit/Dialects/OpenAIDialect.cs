namespace HaKit.Dialects;

/// <summary>
/// <c>{"error":{"message","type","param","code"}}</c>: OpenAI and compatible providers (Groq, OpenRouter). All other dialects derive from it, because each
/// provider also has an interface or a gateway with this format. The codes of the derived dialect take precedence.
/// </summary>
internal class OpenAIDialect : Dialect
{
    public static OpenAIDialect Instance { get; } = new();

    public override IReadOnlyList<AnswerPath> Paths { get; } =
    [
        new("/chat/completions", AnswerShape.Choices),
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
    ];

    public override UsageNames Usage { get; } = new("usage", "prompt_tokens", "completion_tokens") { Cached = "cached_tokens", Details = "prompt_tokens_details" };

    public override RateLimitNames RateLimits { get; } = new(
        new("x-ratelimit-limit-requests", "x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"),
        new("x-ratelimit-limit-tokens", "x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"));

    /// <summary>
    /// Gets whether the token limit is called <c>max_completion_tokens</c>. Most compatible servers accept only <c>max_tokens</c>, but OpenAI's newer models
    /// refuse <c>max_tokens</c>.
    /// </summary>
    protected virtual bool NamesCompletionTokens => true;

    public override CompletionRequest Completion(string folder, string? model, int maxTokens)
    {
        const string newer = "max_completion_tokens", older = "max_tokens";
        var (first, second) = NamesCompletionTokens ? (newer, older) : (older, newer);
        return Chat(first) with { OtherLimit = Chat(second) };

        CompletionRequest Chat(string limit) => new("/chat/completions", CompletionRequest.Write(json =>
        {
            CompletionRequest.WriteChat(json, model);
            json.WriteNumber(limit, maxTokens);
        }));
    }

    // Only OpenAI itself takes the key, because compatible servers refuse unknown members.
    public override bool TakesPromptCacheKey(string path) => GetType() == typeof(OpenAIDialect) && IsChat(path);

    /// <summary>Checks whether this is one of the two paths that take a prompt cache key.</summary>
    protected static bool IsChat(string path) => path.EndsWith("/chat/completions", StringComparison.Ordinal) || path.EndsWith("/responses", StringComparison.Ordinal);

    protected override Verdict? Meaning(ReadOnlySpan<char> word) => word switch
    {
        "insufficient_quota" or "credit_balance_exhausted" or "billing_hard_limit_reached" or "billing_not_active" or "billing_error"
            or "organization_usage_limit_exceeded" or "organization_spend_limit_exceeded" or "project_spend_limit_exceeded" or "CreditsError" or "SetLimitExceeded"
            => Verdict.Quota,
        "rate_limit_exceeded" or "slow_down" => new Verdict(FaultKind.Throttled),
        "server_is_overloaded" or "engine_overloaded" or "engine_overloaded_error" or "ServerOverloaded" or "capacity_exceeded" => new Verdict(FaultKind.Overloaded),
        "overloaded_error" => Verdict.ModelOverloaded,
        "context_length_exceeded" or "exceed_context_size_error" => new Verdict(FaultKind.ContextLength),
        "content_policy_violation" or "content_filter" or "moderation_blocked" or "image_content_policy_violation" or "ResponsibleAIPolicyViolation"
            => new Verdict(FaultKind.ContentFilter),
        "invalid_api_key" => Verdict.BadKey,
        "account_deactivated" or "organization_restricted" => Verdict.BadKey with { Reach = FaultReach.Account },
        "model_not_found" or "model_decommissioned" => new Verdict(FaultKind.ModelNotFound),
        _ => null,
    };

    protected override int StatusOf(ReadOnlySpan<char> word) => word switch
    {
        "invalid_request_error" or "BadRequestError" or "validation" or "template_error" or "tool_error" or "missing_template_variable" => 400,
        "invalid_prompt" or "failed_to_download_image" or "invalid_image_url" or "empty_image_file" or "image_file_not_found" => 400,
        "authentication_error" or "AuthenticationError" => 401,
        "permission_error" or "PermissionDeniedError" => 403,
        "not_found_error" or "NotFoundError" => 404,
        "request_too_large" => 413,
        "rate_limit_error" or "too_many_requests" or "rate_limited" or "RateLimitError" => 429,
        "server_error" or "api_error" or "internal_error" or "internal_server_error" or "InternalServerError" => 500,
        "service_unavailable_error" or "overloaded" => 503,
        "timeout_error" => 504,
        _ => 0,
    };
}
