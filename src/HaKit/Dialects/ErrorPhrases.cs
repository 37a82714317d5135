using System.Buffers;

namespace HaKit.Dialects;

/// <summary>
/// Contains phrases of messages that describe an error which the server's code does not describe. The search ignores case, and covers only the unquoted part of
/// a message (<see cref="ServerWords"/>). Messages are matched and never kept.
/// </summary>
internal static class ErrorPhrases
{
    public static SearchValues<string> Quota { get; } = CreateSearch(
        "exceeded your current quota", "insufficient_quota", "credit balance", "insufficient credits", "requires more credits", "insufficient balance",
        "billing hard limit", "spend limit", "spending limit", "api usage limits", "monthly limit", "monthly quota", "tokens per day, please wait",
        "used all available credits", "out of credits", "not enough credits", "no credits", "credit limit", "exceeded your monthly", "insufficient funds", "insufficient quota", "budget has been exceeded",
        "in arrears", "overdue account", "account is in good standing", "balance is insufficient", "insufficient account balance");

    /// <summary>Gets the sentences about money with which providers begin a 400. In any other place such words may be the caller's.</summary>
    public static string[] QuotaSentences { get; } =
        ["your credit balance is too low", "you have reached your specified api usage limits", "billing hard limit has been reached",
         "access denied, please make sure your account is in good standing", "access denied due to overdue account", "your account is in arrears",
         "account is in arrears", "your account balance is insufficient", "insufficient account balance"];

    /// <summary>Gets the sentences about a bad key with which providers begin a 400.</summary>
    public static string[] BadKeySentences { get; } =
        ["api key not valid", "api key expired", "api key not found", "invalid api key", "incorrect api key provided"];

    public static SearchValues<string> ContextLength { get; } = CreateSearch(
        "maximum context length", "context length is only", "exceed context limit", "prompt is too long", "input is too long",
        "exceeds the maximum number of tokens", "too large for model", "longer than the maximum model length", "exceeds the context window",
        "exceeds the available context size", "context_length_exceeded", "tokens +  must be", "greater than the context length",
        "context window exceeds limit", "exceeded model token limit", "prompt too long; exceeded", "model_context_window_exceeded");

    public static SearchValues<string> ContentFilter { get; } = CreateSearch(
        "content management policy", "content filtering policy", "content policy", "our safety system", "input was flagged",
        "flagged as potentially violating",
        "content violates", "prompt violates", "input violates", "request violates", "usage guidelines", "usage policies", "usage policy", "acceptable use policy",
        "safety guidelines", "content guidelines", "inappropriate content", "harmful content", "content exists risk", "sensitive content", "sensitive words");

    public static SearchValues<string> Overloaded { get; } = CreateSearch(
        "overloaded", "capacity exceeded", "high demand", "no capacity available", "at capacity");

    public static SearchValues<string> OverloadedModel { get; } = CreateSearch(
        "capacity exceeded for this model", "model is overloaded", "no capacity available for model");

    public static SearchValues<string> BadKey { get; } = CreateSearch("api key not valid", "api key expired", "invalid api key", "incorrect api key");

    public static SearchValues<string> NoModel { get; } = CreateSearch("model", "deployment");

    public static SearchValues<string> BadModel { get; } = CreateSearch("invalid model", "model has been decommissioned", "model does not exist", "unknown model");

    private static SearchValues<string> CreateSearch(params string[] phrases) => SearchValues.Create(phrases, StringComparison.OrdinalIgnoreCase);
}
