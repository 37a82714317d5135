namespace HaKit.Limits;

/// <summary>
/// A server's own word on what is left, as it came with an answer. Null means not said; resets are relative to the answer.
/// </summary>
internal readonly record struct QuotaReading
{
    public long? RequestsLimit { get; init; }

    public long? RequestsRemaining { get; init; }

    public TimeSpan? RequestsReset { get; init; }

    public long? TokensLimit { get; init; }

    /// <summary>May be rounded to thousands.</summary>
    public long? TokensRemaining { get; init; }

    public TimeSpan? TokensReset { get; init; }
}
