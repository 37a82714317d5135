namespace HaKit.Dialects;

/// <summary>The headers in which a provider tells one dimension of its limits.</summary>
/// <param name="Limit">How much the window allows.</param>
/// <param name="Remaining">How much of it is left.</param>
/// <param name="Reset">When the window is full again.</param>
internal sealed record RateLimitWindowNames(string Limit, string Remaining, string Reset);

/// <summary>The headers in which a provider tells its limits. Immutable.</summary>
/// <param name="Requests">Of requests.</param>
/// <param name="Tokens">Of tokens, those of prompts and answers together.</param>
internal sealed record RateLimitNames(RateLimitWindowNames Requests, RateLimitWindowNames Tokens)
{
    /// <summary>Of the tokens of prompts; null if the provider does not count them apart.</summary>
    public RateLimitWindowNames? InputTokens { get; init; }

    /// <summary>Of the tokens of answers; null if the provider does not count them apart.</summary>
    public RateLimitWindowNames? OutputTokens { get; init; }
}
