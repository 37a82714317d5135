namespace HaKit.Limits;

/// <summary>
/// How much an endpoint, or an account that several endpoints share, may be asked for. Unset means unlimited.
/// Not thread-safe; read when the pool takes it and at each reload.
/// </summary>
/// <remarks>
/// The two rates are sliding windows: over any 60 s the accepted requests and tokens never exceed them, and there is no burst on top.
/// Tokens count by estimate when a call is accepted and by actual usage once that is known.
/// </remarks>
public sealed class LimitOptions
{
    /// <summary>Most calls in flight at once; a stream counts until it ends. Default none; at least 1 when set.</summary>
    public int? MaxConcurrency { get; set; }

    /// <summary>Most requests accepted in any 60 s. Default none; at least 1 when set.</summary>
    public int? RequestsPerMinute { get; set; }

    /// <summary>
    /// Most tokens (input and output together) accepted in any 60 s. Default none; at least 1 when set.
    /// A call estimated above it never fits.
    /// </summary>
    public int? TokensPerMinute { get; set; }

    /// <summary>
    /// Find the bound on concurrency from the server's answers: × 0.7 when it throttles or is overloaded (429, 503; at most once a second),
    /// + 1 for each round of successes that made use of it. Never above <see cref="MaxConcurrency"/>, never below 1. Default false.
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
        $"{path}:{name} is {value}: at least 1 is needed, or nothing for no limit.";
}
