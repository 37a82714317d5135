namespace HaKit.Limits;

/// <summary>
/// Sets the limits of an endpoint, or of an account that several endpoints share. Null means unlimited. Not thread-safe; read at start-up and at each reload.
/// </summary>
/// <remarks>
/// The two rates are sliding windows: the requests and tokens that are accepted in any 60 s never exceed them, and there is no allowance for bursts. When a
/// call is accepted, its estimated tokens count. When the answer has reported the usage, the reported tokens count instead.
/// </remarks>
public sealed class LimitOptions
{
    /// <summary>Gets or sets the maximum number of attempts in flight; a stream counts until it ends. Default: none; at least 1.</summary>
    public int? MaxConcurrency { get; set; }

    /// <summary>Gets or sets the maximum number of requests accepted in any 60 s. Default: none; at least 1.</summary>
    public int? RequestsPerMinute { get; set; }

    /// <summary>
    /// Gets or sets the maximum number of tokens, input and output together, accepted in any 60 s. Default: none; at least 1. A call never fits if its profile
    /// gives more tokens (<see cref="RequestProfile.InputTokens"/> and <see cref="RequestProfile.MaxOutputTokens"/>). An estimate of the input excludes no call.
    /// </summary>
    public int? TokensPerMinute { get; set; }

    /// <summary>
    /// Gets or sets whether the limit on concurrency is learned from the server's answers. There is no learned limit until the server throttles or is overloaded
    /// (429, 503). Then, at most once a second, the limit becomes 0.7 times the attempts in flight or the current limit, whichever is lower. It grows by 1 after
    /// each round of successes that used at least half of the limit. A refused trial, or a refusal while fewer attempts are in flight than half of the limit, does
    /// not lower it. The learned limit is never above <see cref="MaxConcurrency"/> and never below 1. Default false.
    /// </summary>
    public bool AdaptiveConcurrency { get; set; }

    internal bool IsAlike(LimitOptions other) =>
        MaxConcurrency == other.MaxConcurrency && RequestsPerMinute == other.RequestsPerMinute && TokensPerMinute == other.TokensPerMinute
        && AdaptiveConcurrency == other.AdaptiveConcurrency;

    internal LimitOptions Copy() => (LimitOptions)MemberwiseClone();

    internal IEnumerable<string> Validate(string path)
    {
        if (MaxConcurrency < 1)
            yield return Wrong(path, nameof(MaxConcurrency), MaxConcurrency);
        if (RequestsPerMinute < 1)
            yield return Wrong(path, nameof(RequestsPerMinute), RequestsPerMinute);
        if (TokensPerMinute < 1)
            yield return Wrong(path, nameof(TokensPerMinute), TokensPerMinute);
    }

    private static string Wrong(string path, string name, int? value) =>
        $"{path}:{name} is {value}: at least 1 is needed. For no limit, leave it out.";
}
