using System.Buffers;

namespace HaKit.Dialects;

/// <summary>
/// Phrases by which servers tell in a message what they do not tell in a code. Searched without regard to case, in messages that may be
/// escaped JSON: a phrase therefore holds no character that a JSON writer escapes. Messages are matched and never kept.
/// </summary>
internal static class ErrorPhrases
{
    public static SearchValues<string> Quota { get; } = Of(
        "exceeded your current quota", "insufficient_quota", "credit balance", "insufficient credits", "requires more credits", "insufficient balance",
        "billing hard limit", "spend limit", "spending limit", "api usage limits", "monthly limit", "monthly quota", "tokens per day, please wait");

    public static SearchValues<string> ContextLength { get; } = Of(
        "maximum context length", "context length is only", "exceed context limit", "prompt is too long", "input is too long",
        "exceeds the maximum number of tokens", "too large for model", "longer than the maximum model length", "exceeds the context window",
        "exceeds the available context size", "context_length_exceeded", "max_new_tokens` must be", "greater than the context length",
        "context window exceeds limit", "exceeded model token limit", "prompt too long; exceeded", "model_context_window_exceeded");

    public static SearchValues<string> ContentFilter { get; } = Of(
        "content management policy", "content filtering policy", "content policy", "our safety system", "input was flagged",
        "flagged as potentially violating");

    public static SearchValues<string> Overloaded { get; } = Of(
        "overloaded", "capacity exceeded", "high demand", "no capacity available", "at capacity");

    public static SearchValues<string> OverloadedModel { get; } = Of(
        "capacity exceeded for this model", "model is overloaded", "no capacity available for model");

    public static SearchValues<string> BadKey { get; } = Of("api key not valid", "api key expired", "invalid api key", "incorrect api key");

    public static SearchValues<string> NoModel { get; } = Of("model", "deployment");

    public static SearchValues<string> BadModel { get; } = Of("invalid model", "model has been decommissioned", "model does not exist", "unknown model");

    private static SearchValues<string> Of(params string[] phrases) => SearchValues.Create(phrases, StringComparison.OrdinalIgnoreCase);
}
