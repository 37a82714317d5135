namespace HaKit.Limits;

/// <summary>
/// Records the amounts that one accepted call took from a <see cref="Limiter"/>. Return it exactly once, with <see cref="Limiter.SettleTokens"/> or <see
/// cref="Limiter.Cancel"/>. The default value is an empty reservation.
/// </summary>
internal readonly record struct LimitReservation(LimitParts Parts, uint Tokens, uint TokensIn, uint RequestsIn);

/// <summary>The parts of a limiter from which a reservation took something.</summary>
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
