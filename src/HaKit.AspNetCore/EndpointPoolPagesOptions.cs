namespace HaKit.AspNetCore;

/// <summary>Sets which users may give orders on the dashboard, and how much it remembers. Not thread-safe; read when the pages are mapped.</summary>
public sealed class EndpointPoolPagesOptions
{
    /// <summary>The authorization policy of users that may give orders. Default null: orders are not available, and their addresses do not exist.</summary>
    public string? OperatorPolicy { get; set; }

    /// <summary>The time that one point of a sparkline stands for; 60 points are kept, of which pools of more than 50 endpoints send fewer. Default 5 s; at least 1 s.</summary>
    public TimeSpan Step { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How often an open dashboard is brought up to date while nothing happens; what happens is shown at once. Default 1 s; at least 0.2 s.</summary>
    public TimeSpan Refresh { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>How many of the latest events are kept for pages that are opened later. Default 50; 0 to 10,000.</summary>
    public int Events { get; set; } = 50;

    /// <summary>
    /// Dashboards that may be open at once. One more closes the oldest of the client address that has most open, so that idle streams of one machine cannot
    /// lock operators out. Default 100; at least 1.
    /// </summary>
    public int MaxViewers { get; set; } = 100;

    internal void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(Step, TimeSpan.FromSeconds(1));
        ArgumentOutOfRangeException.ThrowIfLessThan(Refresh, TimeSpan.FromSeconds(0.2));
        ArgumentOutOfRangeException.ThrowIfNegative(Events);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Events, 10_000);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxViewers, 1);
    }
}
