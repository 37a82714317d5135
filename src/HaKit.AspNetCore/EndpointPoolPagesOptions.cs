namespace HaKit.AspNetCore;

/// <summary>
/// Sets which users may give orders on the dashboard, and how much history the dashboard keeps. Not thread-safe; read when the pages are mapped.
/// </summary>
public sealed class EndpointPoolPagesOptions
{
    /// <summary>
    /// Gets or sets the name of the authorization policy for users that may give orders. Default null: orders are not available, and their routes do not exist.
    /// </summary>
    public string? OperatorPolicy { get; set; }

    /// <summary>
    /// Gets or sets the time that one point of a sparkline covers. The dashboard keeps 60 points, but sends fewer to the page if the pool has more than 50
    /// endpoints. Default 5 s; 1 s to a day.
    /// </summary>
    public TimeSpan Step { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Gets or sets how often an open dashboard is updated. Events are shown at once. Default 1 s; 0.2 s to a day.</summary>
    public TimeSpan Refresh { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Gets or sets how many of the latest events are kept for pages that are opened later. Default 50; 0 to 10,000.</summary>
    public int Events { get; set; } = 50;

    /// <summary>
    /// Gets or sets how many dashboards may be open at the same time. If another dashboard is opened, an old dashboard is closed: the oldest dashboard of the
    /// client address with the most open dashboards. Therefore one machine with many idle dashboards cannot lock operators out. Default 100; 1 to 1,000,000.
    /// </summary>
    public int MaxViewers { get; set; } = 100;

    internal EndpointPoolPagesOptions Copy() => (EndpointPoolPagesOptions)MemberwiseClone();

    internal void Validate()
    {
        if (OperatorPolicy is not null && string.IsNullOrWhiteSpace(OperatorPolicy))
            throw new ArgumentException("MapHaEndpointPools: OperatorPolicy is empty. Give it the name of an authorization policy, or leave it out: orders are then not available.");
        SettingRange.ThrowIfAny(
            "MapHaEndpointPools: ",
            SettingRange.Find(nameof(Step), Step, TimeSpan.FromSeconds(1), SettingRange.LongestOfTimer),
            SettingRange.Find(nameof(Refresh), Refresh, TimeSpan.FromSeconds(0.2), SettingRange.LongestOfTimer),
            SettingRange.Find(nameof(Events), Events, 0, 10_000),
            SettingRange.Find(nameof(MaxViewers), MaxViewers, 1, 1_000_000));
    }
}
