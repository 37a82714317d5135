namespace HaKit.Pool;

/// <summary>One limit, in calls: how many it holds at once, and for how long each is held.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Places">Calls that fit at once.</param>
/// <param name="HeldMinutes">For how long each takes its place: one minute for limits per minute, the length of an attempt for concurrency.</param>
internal readonly record struct CallLimit(string Name, double Places, double HeldMinutes)
{
    public static CallLimit None => new("none", double.PositiveInfinity, 0);

    public double CallsPerMinute => HeldMinutes > 0 ? Places / HeldMinutes : double.PositiveInfinity;

    public bool IsNone => double.IsPositiveInfinity(Places);

    /// <summary>Whether it is one of a minute: it fills and empties slowly, where places for calls in flight come and go with each of them.</summary>
    public bool IsWindow => HeldMinutes >= 1;
}

/// <summary>What one endpoint could carry: its own limits, and the group with which it shares more of them.</summary>
/// <param name="Tier">Its tier, in the order in which tiers are used.</param>
/// <param name="Limits">Its own limits.</param>
/// <param name="Account">Whatever is the same for all endpoints that share the account's limits; null for none.</param>
/// <param name="AccountLimits">The limits that they share.</param>
internal sealed record CarryingEndpoint(int Tier, IReadOnlyList<CallLimit> Limits, object? Account, IReadOnlyList<CallLimit> AccountLimits);

/// <summary>What is left over of a demand.</summary>
/// <param name="LostShare">The share of the calls without room.</param>
/// <param name="Utilization">How much of all capacity is asked for.</param>
/// <param name="Limit">The limit that binds most of it.</param>
internal readonly record struct Carried(double LostShare, double Utilization, string? Limit);

/// <summary>Whether a set of endpoints carries a demand. Pure functions.</summary>
/// <remarks>
/// <para>
/// A limit of n requests in any 60 s is a loss system with n servers, each held for 60 s, and a limit on concurrency is one with the attempt's length. Erlang's formula
/// for the calls that find all servers busy holds for any distribution of that length (Sevastyanov 1957).
/// </para>
/// <para>
/// When a window filled decides how it lets calls through while it is full: a few at a time if it filled evenly, all at once and then none if it filled in a burst, and
/// so again a minute later. Places for calls in flight lose least beside the first and most beside the second. The mean of both is told.
/// </para>
/// </remarks>
internal static class RedundancyArithmetic
{
    /// <param name="endpoints">Those that are left.</param>
    /// <param name="callsPerMinute">The demand.</param>
    public static Carried Carry(IReadOnlyList<CarryingEndpoint> endpoints, double callsPerMinute)
    {
        if (endpoints.Count == 0)
            return new(callsPerMinute > 0 ? 1 : 0, double.PositiveInfinity, null);
        var capacities = Capacities(endpoints);
        if (callsPerMinute <= 0 || capacities.Exists(static c => c.Limit.IsNone))
            return new(0, 0, null);
        var tiers = capacities.GroupBy(static c => c.Tier).OrderBy(static t => t.Key).Select(static t => new TierLimits([.. t.Select(static c => c.Limit)])).ToArray();
        var left = (LeftWhenEven(tiers, callsPerMinute) + LeftInBursts(tiers, callsPerMinute)) / 2;
        var capacity = capacities.Sum(static c => c.Limit.CallsPerMinute);
        return new(left, capacity > 0 ? callsPerMinute / capacity : double.PositiveInfinity, capacities.MaxBy(static c => c.Limit.CallsPerMinute).Limit.Name);
    }

    // Full windows admit a call whenever an old one leaves them: places meet the rest of the calls. What one tier leaves is offered to the next.
    private static double LeftWhenEven(TierLimits[] tiers, double callsPerMinute)
    {
        var left = 1.0;
        foreach (var tier in tiers)
            left *= tier.LostWhenEven(callsPerMinute * left);
        return left;
    }

    // Windows that are shut are all shut at once: places meet the whole rate of calls meanwhile.
    private static double LeftInBursts(TierLimits[] tiers, double callsPerMinute)
    {
        double left = 1, burst = 1;
        foreach (var tier in tiers)
        {
            left *= tier.LostInBursts(callsPerMinute * left, callsPerMinute * burst);
            burst *= tier.PlacesBusy(callsPerMinute * burst);
        }
        return left;
    }

    // Endpoints of one account carry what each can, and together no more than the account's own limits: those of its lower tiers what is left of them.
    private static List<(int Tier, CallLimit Limit)> Capacities(IReadOnlyList<CarryingEndpoint> endpoints)
    {
        var capacities = new List<(int, CallLimit)>();
        foreach (var account in endpoints.GroupBy(static e => e.Account ?? e))
        {
            var shared = Tightest(account.First().AccountLimits);
            foreach (var endpoint in account.OrderBy(static e => e.Tier))
            {
                var own = Tightest(endpoint.Limits);
                if (shared.IsNone || own.CallsPerMinute <= shared.CallsPerMinute)
                {
                    capacities.Add((endpoint.Tier, own));
                    shared = shared.IsNone ? shared : shared with { Places = shared.Places - own.CallsPerMinute * shared.HeldMinutes };
                    continue;
                }
                capacities.Add((endpoint.Tier, shared));
                break;
            }
        }
        return capacities;
    }

    private static CallLimit Tightest(IReadOnlyList<CallLimit> limits) => limits.Count == 0 ? CallLimit.None : limits.MinBy(static l => l.CallsPerMinute);
}
