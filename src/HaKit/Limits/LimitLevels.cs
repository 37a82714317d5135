namespace HaKit.Limits;

/// <summary>Where a limiter stands, for telemetry. Null limits are unlimited; the server's remaining is null when no reading is in force.</summary>
internal readonly record struct LimitLevels(
    int InFlight,
    int? ConcurrencyLimit,
    long RequestsSpent,
    int? RequestsLimit,
    long TokensSpent,
    int? TokensLimit,
    long? ServerRequestsRemaining,
    long? ServerTokensRemaining);
