namespace HaKit.Dialects;

/// <summary>
/// <c>{"error":{"message","type","param","code"}}</c>: OpenAI and those who speak like it (Groq, OpenRouter). All others derive from it, for each
/// has an entrance or a gateway that speaks these words too; their own go first.
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

    public override UsageNames Usage => new("usage", "prompt_tokens", "completion_tokens");

    /// <summary>The events of responses, images, transcripts and speech. Of <c>response.*</c> an unknown one shows that the answer is being made.</summary>
    public override StreamSignal? SignalOf(ReadOnlySpan<byte> name) => name switch
    {
        _ when name.SequenceEqual("keepalive"u8) => StreamSignal.None,
        _ when name.SequenceEqual("error"u8) => StreamSignal.Error,
        _ when name.StartsWith("response."u8) => OfResponse(name["response."u8.Length..]),
        _ when name.StartsWith("image_generation."u8) || name.StartsWith("image_edit."u8) => name.EndsWith(".completed"u8) ? StreamSignal.Content | StreamSignal.End : StreamSignal.Content,
        _ when name.SequenceEqual("transcript.text.done"u8) => StreamSignal.Content | StreamSignal.End,
        _ when name.SequenceEqual("speech.audio.done"u8) => StreamSignal.End,
        _ when name.StartsWith("transcript.text."u8) || name.StartsWith("speech.audio."u8) => StreamSignal.Content,
        _ => null,
    };

    private static StreamSignal OfResponse(ReadOnlySpan<byte> name) => name switch
    {
        _ when name.EndsWith(".delta"u8) || name.EndsWith(".done"u8) || name.EndsWith(".partial_image"u8) => StreamSignal.Content,
        _ when name.SequenceEqual("completed"u8) || name.SequenceEqual("incomplete"u8) => StreamSignal.End,
        _ when name.SequenceEqual("failed"u8) || name.SequenceEqual("cancelled"u8) => StreamSignal.Error,
        _ when name.SequenceEqual("created"u8) || name.SequenceEqual("queued"u8) || name.SequenceEqual("in_progress"u8) => StreamSignal.None,
        _ => StreamSignal.Progress,
    };

    protected override Verdict? Meaning(ReadOnlySpan<char> word) => word switch
    {
        "insufficient_quota" or "credit_balance_exhausted" or "billing_hard_limit_reached" or "billing_not_active" or "billing_error"
            or "organization_usage_limit_exceeded" or "organization_spend_limit_exceeded" or "project_spend_limit_exceeded"
            => Verdict.Quota,
        "rate_limit_exceeded" or "slow_down" => new Verdict(FaultKind.Throttled),
        "server_is_overloaded" or "engine_overloaded" => new Verdict(FaultKind.Overloaded),
        "overloaded_error" => Verdict.ModelOverloaded,
        "context_length_exceeded" => new Verdict(FaultKind.ContextLength),
        "content_policy_violation" or "content_filter" or "moderation_blocked" or "image_content_policy_violation" or "ResponsibleAIPolicyViolation"
            => new Verdict(FaultKind.ContentFilter),
        "invalid_api_key" => Verdict.BadKey,
        "account_deactivated" => Verdict.BadKey with { Reach = FaultReach.Account },
        "model_not_found" or "model_decommissioned" => new Verdict(FaultKind.ModelNotFound),
        _ => null,
    };

    protected override int StatusOf(ReadOnlySpan<char> word) => word switch
    {
        "invalid_request_error" or "BadRequestError" or "validation" => 400,
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
