using HaKit.Attempts;
using HaKit.Estimates;
using HaKit.Limits;

namespace HaKit;

/// <summary>Describes how much of one limit is in use. Immutable.</summary>
/// <param name="Name"><c>concurrency</c>, <c>requests</c> or <c>tokens</c> (per minute); with the prefix <c>account.</c> if all endpoints of the account share the limit.</param>
/// <param name="Used">The used amount.</param>
/// <param name="Limit">The limit.</param>
public sealed record LimitUse(string Name, double Used, double Limit)
{
    internal static List<LimitUse> Measure(EndpointState member, TimeSpan now)
    {
        var uses = new List<LimitUse>();
        Add(uses, "", member.Limiter, now);
        Add(uses, "account.", member.AccountLimiter, now);
        return uses;
    }

    private static void Add(List<LimitUse> uses, string prefix, Limiter limiter, TimeSpan now)
    {
        if (limiter == Limiter.Unlimited)
            return;
        var levels = limiter.Levels(now);
        if (levels.ConcurrencyLimit is { } places)
            uses.Add(new(prefix + "concurrency", levels.InFlight, places));
        if (levels.RequestsLimit is { } requests)
            uses.Add(new(prefix + "requests", levels.RequestsSpent, requests));
        if (levels.TokensLimit is { } tokens)
            uses.Add(new(prefix + "tokens", levels.TokensSpent, tokens));
    }
}
