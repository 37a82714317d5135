namespace HaKit.Limits;

/// <summary>Holds the remaining amounts that a server reported with an answer. Null: not reported. Times to the next reset are counted from the answer.</summary>
internal readonly record struct QuotaReading
{
    public long? RequestsLimit { get; init; }

    public long? RequestsRemaining { get; init; }

    public TimeSpan? RequestsReset { get; init; }

    public long? TokensLimit { get; init; }

    /// <summary>Gets the remaining tokens; the server may round them to thousands.</summary>
    public long? TokensRemaining { get; init; }

    public TimeSpan? TokensReset { get; init; }
}
