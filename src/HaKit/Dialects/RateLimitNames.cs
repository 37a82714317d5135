namespace HaKit.Dialects;

/// <summary>Names the headers in which a provider reports one dimension of its limits.</summary>
/// <param name="Limit">The header with the amount that the window allows.</param>
/// <param name="Remaining">The header with the remaining amount.</param>
/// <param name="Reset">The header with the time at which the window is full again.</param>
internal sealed record RateLimitWindowNames(string Limit, string Remaining, string Reset);

/// <summary>Names the headers in which a provider reports its limits. Immutable.</summary>
/// <param name="Requests">The headers for requests.</param>
/// <param name="Tokens">The headers for tokens, of prompts and answers together.</param>
internal sealed record RateLimitNames(RateLimitWindowNames Requests, RateLimitWindowNames Tokens)
{
    /// <summary>Gets the headers for prompt tokens. Null if the provider does not count them separately.</summary>
    public RateLimitWindowNames? InputTokens { get; init; }

    /// <summary>Gets the headers for answer tokens. Null if the provider does not count them separately.</summary>
    public RateLimitWindowNames? OutputTokens { get; init; }
}
