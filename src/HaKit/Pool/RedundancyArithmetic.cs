namespace HaKit.Pool;

/// <summary>Describes one limit in calls: the number of calls at once, and the time for which each call counts.</summary>
/// <param name="Name">The limit's name.</param>
/// <param name="Places">The number of calls at once.</param>
/// <param name="HeldMinutes">
/// The time in minutes for which each call counts: one minute for limits per minute, the duration of an attempt for concurrency.
/// </param>
internal readonly record struct CallLimit(string Name, double Places, double HeldMinutes)
{
    public static CallLimit None => new("none", double.PositiveInfinity, 0);

    public double CallsPerMinute => HeldMinutes > 0 ? Places / HeldMinutes : double.PositiveInfinity;

    public bool IsNone => double.IsPositiveInfinity(Places);
}

/// <summary>Describes the capacity of one endpoint: its own limits, and the limits that it shares.</summary>
/// <param name="Tier">The tier, in the order in which tiers are used.</param>
/// <param name="Limits">The endpoint's own limits.</param>
/// <param name="Account">An object that is the same for all endpoints that share the account's limits. Null: none.</param>
/// <param name="AccountLimits">The limits that these endpoints share.</param>
internal sealed record CarryingEndpoint(int Tier, IReadOnlyList<CallLimit> Limits, object? Account, IReadOnlyList<CallLimit> AccountLimits);

/// <summary>Compares a demand with the capacity of a set of endpoints.</summary>
/// <param name="Utilization">The demand divided by the capacity.</param>
/// <param name="Limit">The limit that restricts the largest part of the capacity.</param>
/// <param name="IsAmple">True if the capacity is so large that calls at random times practically never exceed a limit.</param>
internal readonly record struct Carried(double Utilization, string? Limit, bool IsAmple);

/// <summary>Calculates the utilization of a set of endpoints under a demand. Pure functions. <see cref="LossReplay"/> calculates the lost calls.</summary>
internal static class RedundancyArithmetic
{
    private const double EnoughPlaces = 40;

    /// <param name="endpoints">The remaining endpoints.</param>
    /// <param name="callsPerMinute">The demand.</param>
    public static Carried Carry(IReadOnlyList<CarryingEndpoint> endpoints, double callsPerMinute)
    {
        if (endpoints.Count == 0)
            return new(double.PositiveInfinity, null, false);
        var capacities = Capacities(endpoints);
        if (callsPerMinute <= 0 || capacities.Exists(static c => c.IsNone))
            return new(0, null, true);
        var capacity = capacities.Sum(static c => c.CallsPerMinute);
        return new(capacity > 0 ? callsPerMinute / capacity : double.PositiveInfinity, capacities.MaxBy(static c => c.CallsPerMinute).Name, IsAmple(capacities, callsPerMinute));
    }

    // The capacity is ample if one kind of limit (windows or concurrency) admits at least 40 calls at once and is at most half full. Erlang's formula then
    // gives less than one lost call in 10,000.
    private static bool IsAmple(List<CallLimit> capacities, double callsPerMinute) => capacities.GroupBy(static c => c.HeldMinutes >= 1).Any(kind =>
        kind.Sum(static c => c.CallsPerMinute) >= 2 * callsPerMinute && kind.Sum(static c => c.Places) >= EnoughPlaces);

    // Each endpoint of an account has its own capacity. The sum is at most the account's limits. Endpoints of earlier tiers use these limits first, and
    // endpoints of later tiers use the rest.
    private static List<CallLimit> Capacities(IReadOnlyList<CarryingEndpoint> endpoints)
    {
        var capacities = new List<CallLimit>();
        foreach (var account in endpoints.GroupBy(static e => e.Account ?? e))
        {
            var shared = Tightest(account.First().AccountLimits);
            foreach (var endpoint in account.OrderBy(static e => e.Tier))
            {
                var own = Tightest(endpoint.Limits);
                if (shared.IsNone || own.CallsPerMinute <= shared.CallsPerMinute)
                {
                    capacities.Add(own);
                    shared = shared.IsNone ? shared : shared with { Places = shared.Places - own.CallsPerMinute * shared.HeldMinutes };
                    continue;
                }
                capacities.Add(shared);
                break;
            }
        }
        return capacities;
    }

    private static CallLimit Tightest(IReadOnlyList<CallLimit> limits) => limits.Count == 0 ? CallLimit.None : limits.MinBy(static l => l.CallsPerMinute);
}
