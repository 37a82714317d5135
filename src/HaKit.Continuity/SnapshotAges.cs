using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace HaKit.Continuity;

/// <summary>Holds the age of each destination's newest good snapshot, and the destinations that the last save could not reach. Thread-safe.</summary>
internal sealed class SnapshotAges(IReadOnlyList<string> destinations, TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, DateTimeOffset> _newest = [];
    private readonly DateTimeOffset _started = time.GetUtcNow();
    private IReadOnlyDictionary<string, string> _missed = new Dictionary<string, string>();

    /// <summary>Records a snapshot: one that was just saved, or one of a list.</summary>
    public void RecordSnapshot(VaultSnapshot snapshot)
    {
        // If a machine with a clock that is ahead saved the snapshot, the snapshot would seem new for too long, and would hide that later saves fail. So a time in
        // the future counts as now.
        var now = time.GetUtcNow();
        var savedAt = snapshot.SavedAt < now ? snapshot.SavedAt : now;
        lock (_gate)
        {
            foreach (var destination in snapshot.Destinations.Where(d => !_newest.TryGetValue(d, out var at) || at < savedAt || at > now))
            {
                _newest[destination] = savedAt;
            }
            _missed = snapshot.Missed;
        }
    }

    /// <summary>Gets the age of each destination's newest snapshot. Null for a destination without one.</summary>
    public IReadOnlyList<(string Destination, TimeSpan? Age)> Read()
    {
        var now = time.GetUtcNow();
        lock (_gate)
        {
            return [.. destinations.Select(d => (d, _newest.TryGetValue(d, out var at) ? now - at : (TimeSpan?)null))];
        }
    }

    /// <summary>Gets the age of the newest snapshot; if there is none, the time since the start of the process.</summary>
    public TimeSpan Youngest => Read().Min(static d => d.Age) ?? time.GetUtcNow() - _started;

    /// <summary>Compares the vault with its objective.</summary>
    /// <param name="name">The vault's name.</param>
    /// <param name="maxAge">The objective. Null: none.</param>
    public StatusPanel ToPanel(string name, TimeSpan? maxAge)
    {
        IReadOnlyDictionary<string, string> missed;
        lock (_gate)
        {
            missed = _missed;
        }
        var rows = Read().Select(d => RowOf(d.Destination, d.Age, maxAge, missed.GetValueOrDefault(d.Destination))).ToArray();
        if (Youngest > maxAge)
        {
            return new(name, HealthStatus.Unhealthy, $"The last good snapshot is {Words(Youngest)} old; the objective is {Words(maxAge.Value)}.", rows);
        }
        var behind = rows.Where(static r => r.State != HealthStatus.Healthy).Select(static r => r.Name).ToArray();
        return behind.Length == 0
            ? new(name, HealthStatus.Healthy, $"The last good snapshot is {Words(Youngest)} old.", rows)
            : new(name, HealthStatus.Degraded, $"The last good snapshot is {Words(Youngest)} old; copies are missing on {string.Join(", ", behind)}.", rows);
    }

    public static string Words(TimeSpan age) => DurationText.Write(age < TimeSpan.Zero ? TimeSpan.Zero : age);

    private static StatusPanelRow RowOf(string destination, TimeSpan? age, TimeSpan? maxAge, string? missed)
    {
        var text = age is { } known ? $"newest snapshot {Words(known)} old" : "no snapshot yet";
        if (missed is not null)
        {
            return new(destination, HealthStatus.Degraded, $"{text}; the last save could not reach it");
        }
        return new(destination, age is null || age > maxAge ? HealthStatus.Degraded : HealthStatus.Healthy, text);
    }
}
