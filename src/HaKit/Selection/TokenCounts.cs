using HaKit.Attempts;

namespace HaKit.Selection;

/// <summary>Counts the tokens of a request for the limits of one endpoint and its account.</summary>
internal static class TokenCounts
{
    /// <summary>Gets the number of tokens that the limits allow in a minute. <see cref="long.MaxValue"/>: any number.</summary>
    public static long TokenLimit(this EndpointState state) => Math.Min(state.Limiter.TokenLimit, state.AccountLimiter.TokenLimit);

    /// <summary>
    /// Gets the number of tokens that the limits count for a request. An estimate counts at most as a whole minute, because the limits never have capacity for
    /// more, and an estimate must not refuse a call.
    /// </summary>
    public static long CountTokens(this EndpointState state, RequestProfile profile)
    {
        var tokens = profile.LimitTokens;
        return state.IsLimited && profile.IsLimitEstimated && state.TokenLimit() is var most && tokens > most ? Math.Max(most, profile.MaxOutputTokens) : tokens;
    }
}
