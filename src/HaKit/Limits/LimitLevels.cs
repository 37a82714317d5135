namespace HaKit.Limits;

/// <summary>
/// Holds the current use of a limiter, for telemetry. A null limit means unlimited. The server's remaining amount is null if no reading is valid.
/// </summary>
internal readonly record struct LimitLevels(
    int InFlight,
    int? ConcurrencyLimit,
    long RequestsSpent,
    int? RequestsLimit,
    long TokensSpent,
    int? TokensLimit,
    long? ServerRequestsRemaining,
    long? ServerTokensRemaining);
