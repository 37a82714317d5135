namespace HaKit.Pool;

/// <summary>
/// Lists the settings that a running pool cannot change, because an object that lives as long as the pool or its connections was created with them.
/// </summary>
internal static class FixedSettings
{
    private static readonly (string Name, Func<EndpointPoolOptions, object?> Read)[] All =
    [
        ("Origin", static o => o.Origin),
        ("ConnectTimeout", static o => o.ConnectTimeout),
        ("FirstContent:Minimum", static o => o.FirstContent.Minimum),
        ("FirstContent:Timeout", static o => o.FirstContent.Learned ? o.FirstContent.Timeout : null), // if the limit is not learned, it is read on each call
        ("FirstContent:Multiplier", static o => o.FirstContent.Multiplier),
        ("MaxWaitingCalls", static o => o.MaxWaitingCalls),
        ("RetryBudget:Cap", static o => o.RetryBudget.Cap),
        ("RetryBudget:Cost", static o => o.RetryBudget.Cost),
        ("RetryBudget:PerSuccess", static o => o.RetryBudget.PerSuccess),
        ("RetryBudget:HedgesPerCall", static o => o.RetryBudget.HedgesPerCall),
        ("Sharing:Name", static o => o.Sharing.Name),
        ("Sharing:Replica", static o => o.Sharing.Replica),
        ("Sharing:OrderKey", static o => o.Sharing.OrderKey),
        ("Seed", static o => o.Seed),
    ];

    /// <summary>Gets the names of the fixed settings that differ between the two options. Empty if a reload can apply all changes.</summary>
    public static IReadOnlyList<string> ChangedBetween(EndpointPoolOptions old, EndpointPoolOptions next) =>
        [.. All.Where(setting => !Equals(setting.Read(old), setting.Read(next))).Select(setting => setting.Name)];
}
