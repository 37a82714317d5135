namespace HaKit.Limits;

/// <summary>
/// What one accepted call took from a <see cref="Limiter"/>; handed back to it exactly once, by
/// <see cref="Limiter.SettleTokens"/> or <see cref="Limiter.Cancel"/>. The default value took nothing.
/// </summary>
internal readonly record struct LimitReservation(LimitParts Parts, uint Tokens, uint TokensIn, uint RequestsIn);

/// <summary>The parts of a limiter that a reservation has taken from.</summary>
[Flags]
internal enum LimitParts
{
    None = 0,
    Concurrency = 1,
    Tokens = 2,
    Requests = 4,
    ServerTokens = 8,
    ServerRequests = 16,
}
