using HaKit.Testing;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace HaKit.Continuity.Tests;

/// <summary>Tests what a vault's panel says about the age of the snapshots.</summary>
public sealed class SnapshotAgesTests
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    private readonly ManualTimeProvider _time = new();
    private readonly SnapshotAges _ages;

    public SnapshotAgesTests() => _ages = new SnapshotAges(["disk", "share"], _time);

    [Fact(Timeout = 10_000)]
    public async Task Without_a_snapshot_the_time_since_the_start_counts()
    {
        await Task.CompletedTask;
        _time.Advance(2 * Hour);
        _ages.Read().Should().Equal(("disk", null), ("share", null));
        _ages.Youngest.Should().Be(2 * Hour);
        var panel = _ages.ToPanel("vault", null);
        panel.State.Should().Be(HealthStatus.Degraded);
        panel.Summary.Should().Be("The last good snapshot is 2 h old; copies are missing on disk, share.");
        panel.Rows.Should().Equal(new StatusPanelRow("disk", HealthStatus.Degraded, "no snapshot yet"), new StatusPanelRow("share", HealthStatus.Degraded, "no snapshot yet"));
    }

    [Fact(Timeout = 10_000)]
    public async Task Each_destination_has_the_age_of_its_newest_snapshot_whatever_the_order_in_which_they_are_told()
    {
        await Task.CompletedTask;
        var start = _time.GetUtcNow();
        _time.Advance(5 * Hour);
        _ages.RecordSnapshot(Snapshot(start + 3 * Hour, ["disk"]));
        _ages.RecordSnapshot(Snapshot(start + Hour, ["disk", "share"]));
        _ages.RecordSnapshot(Snapshot(start + 2 * Hour, ["share"]));
        _ages.Read().Should().Equal(("disk", 2 * Hour), ("share", 3 * Hour));
        _ages.Youngest.Should().Be(2 * Hour);
    }

    // The newest snapshots are 2 h (disk) and 3 h (share) old.
    [Theory(Timeout = 10_000)]
    [InlineData(null, HealthStatus.Healthy, "The last good snapshot is 2 h old.")]
    [InlineData(3.0, HealthStatus.Healthy, "The last good snapshot is 2 h old.")]
    [InlineData(2.5, HealthStatus.Degraded, "The last good snapshot is 2 h old; copies are missing on share.")]
    [InlineData(2.0, HealthStatus.Degraded, "The last good snapshot is 2 h old; copies are missing on share.")]
    [InlineData(1.5, HealthStatus.Unhealthy, "The last good snapshot is 2 h old; the objective is 90 min.")]
    public async Task The_panel_compares_the_newest_snapshots_with_the_objective(double? hours, HealthStatus state, string summary)
    {
        await Task.CompletedTask;
        var start = _time.GetUtcNow();
        _time.Advance(4 * Hour);
        _ages.RecordSnapshot(Snapshot(start + Hour, ["share"]));
        _ages.RecordSnapshot(Snapshot(start + 2 * Hour, ["disk"]));
        var panel = _ages.ToPanel("vault main", hours * Hour);
        (panel.Name, panel.State, panel.Summary).Should().Be(("vault main", state, summary));
        panel.Rows.Select(static r => r.Text).Should().Equal("newest snapshot 2 h old", "newest snapshot 3 h old");
        panel.Rows.Select(static r => r.State).Should().Equal(
            hours < 2 ? HealthStatus.Degraded : HealthStatus.Healthy, hours < 3 ? HealthStatus.Degraded : HealthStatus.Healthy);
    }

    [Fact(Timeout = 10_000)]
    public async Task A_destination_that_the_last_save_missed_is_named_until_a_save_reaches_it()
    {
        await Task.CompletedTask;
        var missed = Snapshot(_time.GetUtcNow(), ["disk", "share"]) with { Missed = new Dictionary<string, string> { ["share"] = "no answer" } };
        _ages.RecordSnapshot(missed);
        _ages.ToPanel("vault", Hour).Rows.Should().Equal(
            new StatusPanelRow("disk", HealthStatus.Healthy, "newest snapshot 0 s old"), new StatusPanelRow("share", HealthStatus.Degraded, "newest snapshot 0 s old; the last save could not reach it"));
        _ages.RecordSnapshot(missed with { Missed = new Dictionary<string, string>() });
        _ages.ToPanel("vault", Hour).State.Should().Be(HealthStatus.Healthy);
    }

    [Fact(Timeout = 10_000)]
    public async Task A_snapshot_from_a_clock_that_is_ahead_is_new()
    {
        await Task.CompletedTask;
        _ages.RecordSnapshot(Snapshot(_time.GetUtcNow() + Hour, ["disk", "share"]));
        _ages.ToPanel("vault", Hour).Summary.Should().Be("The last good snapshot is 0 s old.");
        SnapshotAges.Words(TimeSpan.FromMilliseconds(1)).Should().Be("1 ms");
    }

    private static VaultSnapshot Snapshot(DateTimeOffset at, string[] destinations) => new()
    {
        Id = "id",
        Number = 1,
        Source = "source",
        SavedAt = at,
        Files = 1,
        Bytes = 1,
        Destinations = destinations,
    };
}
