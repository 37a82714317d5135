namespace HaKit.Limits;

/// <summary>
/// Sets the budget of retries and hedges together, so that retries do not multiply the load in an outage. Not thread-safe; read once, when the pool is created. A
/// reload does not change the budget of a running pool; a log line names the changed settings.
/// </summary>
public sealed class RetryBudgetOptions
{
    /// <summary>Gets or sets the amount that each success adds to the budget. Default 0.1 (at most 10 % more load); 0 to 10.</summary>
    public double PerSuccess { get; set; } = 0.1;

    /// <summary>Gets or sets the maximum balance of the budget. A new pool starts with this balance. Default 10; 0 (no retries or hedges) to 1,000.</summary>
    public double Cap { get; set; } = 10;

    /// <summary>
    /// Gets or sets the amount that one retry or hedge takes from the budget. The amount returns to the budget if the retry is served. Default 1; 0 (free) to
    /// 1,000.
    /// </summary>
    public double Cost { get; set; } = 1;

    /// <summary>
    /// Gets or sets the maximum number of hedges per call, as an average over all calls: 0.05 hedges at most 5 % of calls. Hedges take from the budget as well.
    /// Default 0.05; 0 (none) to 1.
    /// </summary>
    public double HedgesPerCall { get; set; } = 0.05;

    internal RetryBudgetOptions Copy() => (RetryBudgetOptions)MemberwiseClone();

    internal IEnumerable<string> Validate(string path)
    {
        if (!(PerSuccess is >= 0 and <= 10))
            yield return Wrong(path, nameof(PerSuccess), PerSuccess, "0 to 10");
        if (!(Cap is >= 0 and <= 1000))
            yield return Wrong(path, nameof(Cap), Cap, "0 to 1000");
        if (!(Cost is >= 0 and <= 1000))
            yield return Wrong(path, nameof(Cost), Cost, "0 to 1000");
        if (!(HedgesPerCall is >= 0 and <= 1))
            yield return Wrong(path, nameof(HedgesPerCall), HedgesPerCall, "0 to 1");
    }

    private static string Wrong(string path, string name, double value, string range) =>
        FormattableString.Invariant($"{path}:{name} is {value}: {range} is needed.");
}
