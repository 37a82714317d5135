using System.Globalization;

namespace HaKit.Tool.Tuning;

/// <summary>One value of a setting to try.</summary>
/// <param name="Setting">The name of the setting.</param>
/// <param name="Text">The value as text.</param>
/// <param name="Set">Sets the value.</param>
internal sealed record TunedValue(string Setting, string Text, Action<EndpointPoolOptions> Set);

/// <summary>The five settings and the values to try.</summary>
internal static class TunedSettings
{
    /// <summary>Lists the values to try, by setting. Values that the pool already has are left out.</summary>
    public static IReadOnlyList<IReadOnlyList<TunedValue>> For(EndpointPoolOptions pool) =>
    [
        Numbers("deadline share", pool.FirstContent.DeadlineShare, static (o, n) => o.FirstContent.DeadlineShare = n, 0.3, 0.5, 0.7),
        Numbers("first-content multiplier", pool.FirstContent.Multiplier, static (o, n) => o.FirstContent.Multiplier = n, 2, 3, 5),
        Numbers("ejection period, s", pool.CircuitBreaker.BreakDuration.TotalSeconds, SetEjection, 2, 5, 15, 60),
        [new TunedValue("hedging", pool.Hedging.Enabled ? "off" : "on", Hedge(!pool.Hedging.Enabled))],
        TierOrders(pool),
    ];

    private static Action<EndpointPoolOptions> Hedge(bool isOn) => o => o.Hedging.Enabled = isOn;

    private static void SetEjection(EndpointPoolOptions options, double seconds)
    {
        var period = TimeSpan.FromSeconds(seconds);
        options.CircuitBreaker.BreakDuration = period;
        if (period > options.CircuitBreaker.MaxBreakDuration)
            options.CircuitBreaker.MaxBreakDuration = period;
    }

    private static TunedValue[] Numbers(string setting, double now, Action<EndpointPoolOptions, double> set, params double[] values) =>
        [.. values.Where(v => v != now).Select(v => new TunedValue(setting, v.ToString(CultureInfo.InvariantCulture), o => set(o, v)))];

    // Lists the orders of tiers to try: all endpoints in one tier, and each endpoint in a tier before all others.
    private static TunedValue[] TierOrders(EndpointPoolOptions pool)
    {
        var orders = new List<TunedValue>();
        if (pool.Endpoints.Select(static e => e.Tier).Distinct().Count() > 1)
            orders.Add(new TunedValue("tier order", "all together", static o => SetTiers(o, null)));
        foreach (var name in pool.Endpoints.Select(static e => e.Name))
        {
            if (pool.Endpoints.Count > 1 && !IsAloneInFront(pool, name))
                orders.Add(new TunedValue("tier order", $"{name} first", o => SetTiers(o, name)));
        }
        return [.. orders];
    }

    private static bool IsAloneInFront(EndpointPoolOptions pool, string name) =>
        pool.Endpoints.Where(e => e.Name != name).All(e => e.Tier > pool.Endpoints.First(f => f.Name == name).Tier);

    private static void SetTiers(EndpointPoolOptions options, string? first)
    {
        foreach (var endpoint in options.Endpoints)
            endpoint.Tier = first is null || endpoint.Name == first ? 0 : 1;
    }
}
